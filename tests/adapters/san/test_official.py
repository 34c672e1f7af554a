from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapter.registry import load_object
from ovrisisbench.adapters.san import INFO
from ovrisisbench.adapters.san.adapter import SANAdapter
from ovrisisbench.adapters.san.config import BACKBONES, TINY, VIT_B, VIT_L, SANConfig
from ovrisisbench.adapters.san.network import SAN
from ovrisisbench.adapters.san.official import file_layout, report
from ovrisisbench.errors import CheckpointError
from tests.adapters.official_shapes import case_shapes, official_state, write_checkpoint

CASES = {"san_vitb_dlrsd": "vit-b", "san_vitl_potsdam": "vit-l"}
SIDE = "side_adapter_network."
BUFFERS = {"criterion.empty_weight": (172,), "ov_classifier.attn_mask": (77, 77)}


def _network() -> SAN:
    torch.manual_seed(0)
    return SAN(TINY).eval()


def _state(network: SAN) -> dict[str, torch.Tensor]:
    state = official_state(network, file_layout(TINY))
    return {**state, **{key: torch.zeros(shape) for key, shape in BUFFERS.items()}}


@pytest.mark.parametrize(("case", "backbone"), CASES.items())
def test_an_official_file_is_whole_and_tells_its_backbone_and_training_classes(case: str, backbone: str) -> None:
    found = report({**case_shapes(case), **BUFFERS})
    assert found is not None
    assert (found.model, found.backbone, found.trained_classes) == ("san", backbone, 171)
    assert found.vocabulary_size is None, "any vocabulary fits"
    assert found.missing == found.unused == found.misshapen == found.outside == found.ambiguous == ()
    assert len(found.ignored) == 2
    assert "training class" in found.ignored[0]
    assert "mask of the text tower" in found.ignored[1]


@pytest.mark.parametrize(("case", "config"), [("san_vitb_dlrsd", VIT_B), ("san_vitl_potsdam", VIT_L)])
def test_the_file_has_what_the_network_needs_and_nothing_else(case: str, config: SANConfig) -> None:
    assert dict(file_layout(config).expected) == case_shapes(case)


def test_a_file_without_the_weights_of_the_loss_does_not_tell_the_training_classes() -> None:
    found = report(case_shapes("san_vitb_dlrsd"))
    assert found is not None
    assert found.trained_classes is None
    assert found.ignored == ()


def test_blocks_of_clips_second_part_count_from_zero_again() -> None:
    sources = file_layout(VIT_B).sources
    assert sources["clip.transformer.resblocks.8.ln_1.bias"][0].key == "clip_visual_extractor.resblocks.8.ln_1.bias"
    assert sources["clip.transformer.resblocks.9.ln_1.bias"][0].key == "clip_rec_head.resblocks.0.ln_1.bias"
    fused = sources["clip.transformer.resblocks.11.attn.qkv.weight"][0]
    assert fused.key == "clip_rec_head.resblocks.2.attn.in_proj_weight"
    assert sources["clip.ln_post.bias"][0].key == "clip_rec_head.ln_post.bias"
    assert sources["clip.ln_pre.bias"][0].key == "clip_visual_extractor.ln_pre.bias"
    assert sources["bg_embed"][0].key == "ov_classifier.bg_embed"


@pytest.mark.parametrize(
    ("config", "total", "trained"), [(VIT_B, 157_840_307, 8_370_866), (VIT_L, 436_674_995, 9_321_650)]
)
def test_published_parameter_counts(config: SANConfig, total: int, trained: int) -> None:
    with torch.device("meta"):
        network = SAN(config)
    assert sum(parameter.numel() for parameter in network.parameters()) == total
    assert file_layout(config).trained_values == trained


def test_of_clip_only_the_position_table_is_trained() -> None:
    layout = file_layout(TINY)
    network = _network()
    expected = sum(parameter.numel() for parameter in network.side.parameters())
    expected += network.bg_embed.numel() + network.clip.positional_embedding.numel()
    assert layout.trained_values == expected


@torch.no_grad()
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_network_makes_the_round_trip_through_an_official_file(tmp_path: Path, wrapped: bool) -> None:
    network, path = _network(), tmp_path / "x.pth"
    if wrapped:
        write_checkpoint(path, _state(network))
    else:
        torch.save(_state(network), path)
    loaded = SANAdapter.load(LoadOptions(backbone="tiny", checkpoint=path, settings={"linears": "plain"})).network
    state = loaded.state_dict()
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(state[key], tensor) for key, tensor in network.state_dict().items())


def test_half_precision_files_are_computed_in_float32_and_not_needed_afterwards(tmp_path: Path) -> None:
    state = {key: tensor.half() for key, tensor in _state(_network()).items()}
    path = write_checkpoint(tmp_path / "x.pth", state)
    loaded = SANAdapter.load(LoadOptions(backbone="tiny", checkpoint=path, settings={"linears": "plain"})).network
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    before = loaded.side.query_embed.clone()
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(loaded.side.query_embed, before)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({f"{SIDE}query_embed": None}, f"incomplete, 1 tensor is missing: {SIDE}query_embed;"),
        ({"clip_rec_head.proj": None, "ov_classifier.bg_embed": None}, "incomplete, 2 tensors are missing"),
        ({f"{SIDE}query_embed": torch.zeros(1, 9, 48)}, "wrong shape: .*query_embed: 1x9x48 in the file, 1x12x48 exp"),
        ({"ema.decay": torch.zeros(1)}, "1 tensor is unknown to it: ema.decay"),
        ({f"{SIDE}mask_decoder.bias_scaling.weight": None}, "none of the tensors that tell its files apart"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    tmp_path: Path, changes: dict[str, torch.Tensor | None], sentence: str
) -> None:
    state = {**_state(_network()), **changes}
    path = write_checkpoint(tmp_path / "x.pth", {key: tensor for key, tensor in state.items() if tensor is not None})
    with pytest.raises(CheckpointError, match=sentence) as caught:
        SANAdapter.load(LoadOptions(backbone="tiny", checkpoint=path))
    assert "\n" not in str(caught.value)


def test_another_backbone_is_named(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", _state(_network()))
    with pytest.raises(CheckpointError, match="is for tiny, not vit-l; say --backbone tiny"):
        SANAdapter.load(LoadOptions(backbone="vit-l", checkpoint=path))


@pytest.mark.parametrize(("shape", "said"), [((1280,), "1280"), ((), "a number"), ((1, 768), "1x768")])
def test_a_file_of_an_unknown_width_is_compared_with_the_first_backbone(shape: tuple[int, ...], said: str) -> None:
    found = report({**case_shapes("san_vitb_dlrsd"), "clip_visual_extractor.class_embedding": shape})
    assert found is not None
    assert found.backbone == next(iter(BACKBONES))
    assert found.misshapen == (f"clip_visual_extractor.class_embedding: {said} in the file, 768 expected",)


def test_the_reader_is_where_the_model_says_it_is() -> None:
    assert load_object(INFO.checkpoint_reader, what="reader") is report
