from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.doctor import recognise
from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.segearth_ov.adapter import SegEarthOVAdapter
from ovrisisbench.adapters.segearth_ov.config import TINY
from ovrisisbench.adapters.segearth_ov.official import file_layout, report
from ovrisisbench.errors import CheckpointError
from tests.adapters.official_shapes import case_shapes, official_state, write_checkpoint, write_zeros
from tests.adapters.segearth_ov.networks import lively

pytest.importorskip("cv2", reason="opencv-python-headless is an extra")

CASE = "segearthov_vitb_potsdam"
SIZES = {"input_resolution": (), "context_length": (), "vocab_size": ()}
LAST = "visual.transformer.resblocks.2."

Shapes = dict[str, tuple[int, ...]]
State = dict[str, torch.Tensor]


def _split(whole: dict[str, object]) -> tuple[dict, dict]:
    upsampler = {key: value for key, value in whole.items() if key.startswith("upsampler.")}
    return {key: value for key, value in whole.items() if key not in upsampler}, upsampler


@pytest.fixture
def clip_shapes() -> Shapes:
    return {**_split(case_shapes(CASE))[0], **SIZES}


@pytest.fixture
def state() -> State:
    """Both files of the tiny network in one, with what nothing reads."""
    network = lively()
    state = official_state(network, file_layout(TINY))
    state |= {f"{LAST}mlp.c_fc.bias": torch.zeros(256), f"{LAST}ln_2.weight": torch.zeros(64)}
    state |= {"logit_scale": torch.tensor(4.6), "attn_mask": torch.zeros(77, 77), "vocab_size": torch.tensor(49408)}
    return state


def test_both_files_in_one_are_whole() -> None:
    ((found,), skipped) = recognise({**case_shapes(CASE), **SIZES})
    assert not skipped
    assert (found.model, found.backbone) == ("segearth-ov", "vit-b")
    assert found.missing == found.unused == found.misshapen == found.outside == ()
    assert found.vocabulary_size is None, "any vocabulary fits"
    assert sorted(found.ignored) == [
        "1 tensor: CLIP's temperature, which is not used",
        "3 tensors: sizes that the other tensors tell",
        "6 tensors: the MLP of CLIP's last block, which is left out",
    ]


def test_clips_own_file_needs_the_upsampler_beside_it(clip_shapes: Shapes) -> None:
    found = report(clip_shapes)
    assert found is not None
    assert found.missing == found.unused == found.misshapen == ()
    assert found.outside == (
        "the up-sampler is not in this file; give xclip_jbu_one_million_aid.ckpt with --weights upsampler=FILE",
    )
    assert [other.model for other in recognise(clip_shapes)[0]] == ["plain-clip", "segearth-ov"]


def test_the_upsamplers_own_file_needs_clip() -> None:
    upsampler = _split(case_shapes(CASE))[1]
    ((found,), _) = recognise(upsampler)
    assert (found.model, found.backbone) == ("segearth-ov", "vit-b")
    assert found.missing == found.unused == found.misshapen == ()
    assert found.outside == (
        "CLIP is not in this file; give ViT-B-16.pt with --checkpoint and this file with --weights upsampler=FILE",
    )


def test_clip_vit_l_and_other_widths_are_not_segearth_ovs(clip_shapes: Shapes) -> None:
    for width in (1024, 1280):
        assert report({**clip_shapes, "visual.class_embedding": (width,)}) is None


def test_files_of_other_models_are_not_recognised() -> None:
    for case in ("rskt_vitb_dlrsd", "catseg_vitb_dlrsd", "ovrs_vitb_dlrsd", "gsnet_vitb_dlrsd"):
        assert report(case_shapes(case)) is None
    assert report({}) is None
    assert report({"visual.proj": (768, 512)}) is None


def test_featups_upsampler_of_four_steps_is_not_this_one(tmp_path: Path, state: State) -> None:
    clip, upsampler = _split(state)
    stack = {key.replace("upsampler.up.", "upsampler.up1."): value for key, value in upsampler.items()}
    assert report({key: tuple(value.shape) for key, value in stack.items()}) is None
    with pytest.raises(CheckpointError, match=r"stack\.ckpt does not hold the up-sampler of SegEarth-OV; give xclip"):
        _load(write_checkpoint(tmp_path / "clip.pt", clip), write_checkpoint(tmp_path / "stack.ckpt", stack))


def _load(checkpoint: Path, upsampler: Path | None = None, backbone: str = "tiny") -> SegEarthOVAdapter:
    beside = {} if upsampler is None else {"upsampler": upsampler}
    return SegEarthOVAdapter.load(
        LoadOptions(backbone=backbone, checkpoint=checkpoint, beside=beside, settings={"linears": "plain"})
    )


@pytest.mark.parametrize("apart", [True, False])
def test_one_file_or_two_give_the_network_that_they_were_saved_from(tmp_path: Path, state: State, apart: bool) -> None:
    if apart:
        clip, upsampler = _split(state)
        torch.save(clip, tmp_path / "clip.pt")
        torch.save({"state_dict": upsampler, "epoch": 3}, tmp_path / "up.ckpt")
        adapter = _load(tmp_path / "clip.pt", tmp_path / "up.ckpt")
    else:
        adapter = _load(write_checkpoint(tmp_path / "both.pth", state))
    loaded, expected = adapter.network.state_dict(), lively().state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in expected.items())


def test_half_precision_becomes_single(tmp_path: Path, state: State) -> None:
    adapter = _load(write_checkpoint(tmp_path / "half.pt", {key: value.half() for key, value in state.items()}))
    assert {parameter.dtype for parameter in adapter.network.parameters()} == {torch.float32}
    weight = adapter.network.clip.conv1.weight
    assert torch.equal(weight, lively().clip.conv1.weight.half().float())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"upsampler.up.sigma_spatial": None}, "incomplete, 1 tensor is missing: upsampler.up.sigma_spatial;"),
        ({"visual.ln_post.bias": None, "ln_final.bias": None}, "2 tensors are missing"),
        ({"upsampler.up.range_proj.0.bias": torch.zeros(9)}, "wrong shape: .*range_proj.0.bias: 9 in the file, 8 exp"),
        ({"upsampler.up2.range_temp": torch.zeros(())}, "1 tensor is unknown to it: upsampler.up2.range_temp"),
        ({"visual.conv1.bias": torch.zeros(64)}, "1 tensor is unknown to it: visual.conv1.bias"),
        ({"head.weight": torch.zeros(2)}, "is not a checkpoint of SegEarth-OV"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    tmp_path: Path, state: State, changes: dict[str, torch.Tensor | None], sentence: str
) -> None:
    changed = {key: value for key, value in {**state, **changes}.items() if value is not None}
    with pytest.raises(CheckpointError, match=sentence) as caught:
        _load(write_checkpoint(tmp_path / "x.pth", changed))
    assert "\n" not in str(caught.value)


def test_what_lies_in_another_file_is_named(tmp_path: Path, state: State) -> None:
    clip, upsampler = _split(state)
    with pytest.raises(CheckpointError, match=r"needs: the up-sampler is not in this file; give .* upsampler=FILE\."):
        _load(write_checkpoint(tmp_path / "clip.pt", clip))
    with pytest.raises(CheckpointError, match=r"needs: CLIP is not in this file; give ViT-B-16.pt with --checkpoint"):
        _load(write_checkpoint(tmp_path / "up.ckpt", upsampler))
    with pytest.raises(CheckpointError, match=r"clip\.pt does not hold the up-sampler"):
        _load(tmp_path / "clip.pt", tmp_path / "clip.pt")


def test_another_backbone_and_another_model_are_named(tmp_path: Path, state: State) -> None:
    path = write_checkpoint(tmp_path / "x.pth", state)
    with pytest.raises(CheckpointError, match="is for tiny, not vit-b; say --backbone tiny"):
        _load(path, backbone="vit-b")
    path = write_zeros(tmp_path / "rskt.pth", case_shapes("rskt_vitb_dlrsd"))
    with pytest.raises(
        CheckpointError, match=r"is a checkpoint of rskt-seg .*, not of segearth-ov; say --model rskt-seg"
    ):
        _load(path, backbone="vit-b")


def test_the_tiny_upsampler_tells_its_backbone(state: State) -> None:
    shapes = {key: tuple(value.shape) for key, value in _split(state)[1].items()}
    found = report(shapes)
    assert found is not None
    assert found.backbone == "tiny"
    assert replace(found, outside=()).missing == ()
