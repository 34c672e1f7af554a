from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapters.cost_aggregation.official_names import HEAD
from ovrisisbench.adapters.rskt_seg.config import TINY, RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.loading import from_checkpoint, untrained
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.errors import AdapterError, CheckpointError, OvrisisBenchError
from tests.adapters.official_shapes import write_checkpoint
from tests.adapters.rskt_seg.checkpoints import rskt_state

EVERY_COMBINATION = [
    replace(TINY, efficient=efficient, fusion=fusion, rotate=rotate, dino=dino, remote_clip=remote_clip)
    for efficient in (True, False)
    for fusion in ("separate", "concatenation", "mean")
    for rotate in (True, False)
    for dino in (True, False)
    for remote_clip in (True, False)
    if rotate or not dino or fusion != "concatenation"
]


def _name(config: RSKTSegConfig) -> str:
    names = ("efficient", "rotate", "dino", "remote_clip")
    return "-".join([config.fusion, *(name for name in names if getattr(config, name))])


def _network(config: RSKTSegConfig) -> RSKTSeg:
    torch.manual_seed(0)
    return RSKTSeg(config).eval()


@torch.no_grad()
@pytest.mark.parametrize("config", EVERY_COMBINATION, ids=_name)
def test_every_combination_of_switches_makes_the_round_trip(config: RSKTSegConfig, tmp_path: Path) -> None:
    network = _network(config)
    wishes = {}
    if config.dino and config.fusion == "mean":
        wishes["rotate"] = config.rotate
    if not (config.rotate or config.remote_clip or config.efficient or not config.dino) and config.fusion == "separate":
        wishes |= {"rotate": False, "remote_clip": False, "efficient": False}  # GSNet's network
    loaded = from_checkpoint(write_checkpoint(tmp_path / "x.pth", rskt_state(network)), "tiny", wishes)
    image, text = torch.randn(1, 3, 96, 96), torch.nn.functional.normalize(torch.randn(3, 64), dim=-1)
    logits = network(image, text)
    assert logits.shape == (1, 3, 48, 48)
    assert logits.isfinite().all()
    assert torch.equal(loaded.eval()(image, text), logits)


@torch.no_grad()
@pytest.mark.parametrize(
    "config",
    [
        replace(TINY, layers=0),
        replace(TINY, clip_guidance=False),
        replace(TINY, dino_guidance=False),
        replace(TINY, clip_guidance=False, dino_guidance=False),
        replace(TINY, hidden=96, image_guidance=96, text_guidance=96),
        replace(TINY, efficient=False, image_guidance=40, text_guidance=24),
        replace(TINY, efficient=False, window=2, pooling=2, heads=8),
        replace(TINY, efficient=False, window=6, attention="full"),
    ],
)
def test_rarer_settings_make_the_round_trip(config: RSKTSegConfig, tmp_path: Path) -> None:
    network = _network(config)
    said = {name: getattr(config, name) for name in ("pooling", "heads", "attention") if not config.efficient}
    if config.window == 6:
        said["window"] = 6
    state = rskt_state(network)
    if config.window == 6:
        state = {key: tensor for key, tensor in state.items() if "attn_mask" not in key}
    loaded = from_checkpoint(write_checkpoint(tmp_path / "x.pth", state), "tiny", said)
    image, text = torch.randn(1, 3, 96, 96), torch.nn.functional.normalize(torch.randn(3, 64), dim=-1)
    assert torch.equal(loaded.eval()(image, text), network(image, text))


def test_half_precision_files_are_computed_in_float32(tmp_path: Path) -> None:
    state = {key: tensor.half() for key, tensor in rskt_state(_network(TINY)).items()}
    loaded = from_checkpoint(write_checkpoint(tmp_path / "x.pth", state), "tiny", {})
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_the_network_does_not_depend_on_its_file_any_more(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", rskt_state(_network(TINY)))
    loaded = from_checkpoint(path, "tiny", {})
    before = {key: tensor.clone() for key, tensor in loaded.state_dict().items()}
    path.write_bytes(bytes(path.stat().st_size))
    assert all(torch.equal(tensor, before[key]) for key, tensor in loaded.state_dict().items())


def _changed(tmp_path: Path, **changes: torch.Tensor | None) -> Path:
    state = rskt_state(_network(TINY))
    for key, tensor in changes.items():
        if tensor is None:
            del state[key]
        else:
            state[key] = tensor
    return write_checkpoint(tmp_path / "x.pth", state)


@pytest.mark.parametrize(
    ("changes", "wishes", "sentence"),
    [
        ({"dino_model.norm.bias": None}, {}, "incomplete, 1 tensor is missing: dino_model.norm.bias;"),
        (
            {"upsample1.bias": None, "upsample1.weight": None, "upsample2.bias": None, "upsample2.weight": None},
            {},
            "4 tensors are missing: .* and 1 more;",
        ),
        ({f"{HEAD}head.bias": torch.zeros(2)}, {}, "wrong shape: .*head.bias: 2 in the file, 1 expected"),
        ({"ema": torch.zeros(1)}, {}, "1 tensor is unknown to it: ema"),
        ({}, {"rotate": False}, "was trained with rotate=on, so rotate=off cannot be had"),
        ({}, {"layers": 3}, "was trained with layers=2, so layers=3 cannot be had"),
        ({}, {"fusion": "mean"}, "was trained with fusion=separate, so fusion=mean cannot be had"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    tmp_path: Path, changes: dict[str, torch.Tensor | None], wishes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence) as caught:
        from_checkpoint(_changed(tmp_path, **changes), "tiny", wishes)
    assert "\n" not in str(caught.value)


def test_another_backbone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is for tiny, not vit-l; say --backbone tiny"):
        from_checkpoint(_changed(tmp_path), "vit-l", {})


def test_a_file_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a checkpoint of RSKT-Seg"):
        from_checkpoint(write_checkpoint(tmp_path / "x.pth", {"fc.weight": torch.zeros(2, 2)}), "vit-b", {})


@pytest.mark.parametrize(
    ("backbone", "wishes", "sentence"),
    [
        ("vit-h", {}, "no backbone 'vit-h'"),
        ("tiny", {"fusion": "concatenation", "rotate": False}, "needs the rotations"),
        ("tiny", {"pooling": 2}, "pooling belongs to CAT-Seg's layers"),
        ("tiny", {"efficient": False, "heads": 5}, "heads=5 does not divide"),
        ("tiny", {"efficient": False, "window": 5}, "window=5 does not divide the 12x12 grid"),
        ("tiny", {"efficient": False, "pooling": 5}, "pooling=5 does not divide"),
    ],
)
def test_impossible_settings_are_refused(backbone: str, wishes: dict[str, object], sentence: str) -> None:
    with pytest.raises(OvrisisBenchError, match=sentence) as caught:
        untrained(backbone, wishes, seed=0)
    assert isinstance(caught.value, AdapterError)


def test_untrained_weights_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, again, other = (untrained("tiny", {}, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["transfer.head.weight"], other["transfer.head.weight"])


def test_start_values_are_the_official_ones() -> None:
    network = untrained("tiny", {}, seed=0)
    attention, spatial = network.fusion.layers[0].spatial.attention, network.fusion.layers[0].spatial
    assert attention.q.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not attention.q.bias.any()
    assert attention.sr_v.weight.std().item() == pytest.approx((2 / (4 * 32)) ** 0.5, rel=0.1)
    assert spatial.dwconv.weight.std().item() == pytest.approx((2 / 49) ** 0.5, rel=0.1)
    assert not spatial.dwconv.bias.any()
    head = network.transfer.head
    bound = (16 * 9) ** -0.5
    assert bound * 0.9 < head.weight.abs().max() <= bound
    original = untrained("tiny", {"efficient": False}, seed=0).fusion.layers[0].classes
    assert not original.padding_tokens.any()
    assert original.q.weight.abs().max() <= (32 + 32) ** -0.5
