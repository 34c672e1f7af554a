"""OpenAI's and open_clip's files: recognised, read in both formats, or refused in one sentence."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import open_clip
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import Tensor, nn

from ovrisisbench.adapter.doctor import diagnose, recognise
from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.plain_clip.adapter import PlainCLIPAdapter
from ovrisisbench.adapters.plain_clip.config import TINY, VIT_B, VIT_L
from ovrisisbench.adapters.plain_clip.official import file_layout, report
from ovrisisbench.cli import cli
from ovrisisbench.errors import CheckpointError
from tests.adapters.official_shapes import case_shapes, official_state, write_zeros
from tests.adapters.plain_clip.networks import lively

State = dict[str, Tensor]

EXTRAS = {"input_resolution": 96, "context_length": 77, "vocab_size": 49408}


@pytest.fixture
def state() -> State:
    """The tiny network as OpenAI would have stored it, but for its precision."""
    state = official_state(lively(), file_layout(TINY))
    state |= {name: torch.tensor(value) for name, value in EXTRAS.items()}
    state["logit_scale"] = torch.tensor(4.6)
    return state


def _archive(path: Path, state: State) -> Path:
    """Write a TorchScript program whose modules hold these tensors."""
    root = nn.Module()
    for key, tensor in state.items():
        *parents, name = key.split(".")
        module = root
        for parent in parents:
            if not hasattr(module, parent):
                module.add_module(parent, nn.Module())
            module = getattr(module, parent)
        module.register_buffer(name, tensor.clone())
    root.visual.input_resolution = 96
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(root), path)
    return path


def _load(path: Path, backbone: str = "tiny") -> PlainCLIPAdapter:
    return PlainCLIPAdapter.load(LoadOptions(backbone=backbone, checkpoint=path, settings={"linears": "plain"}))


def _assert_same(adapter: PlainCLIPAdapter, *, half: bool = False) -> None:
    loaded = adapter.network.state_dict()
    for key, tensor in lively().state_dict().items():
        assert loaded[key].dtype == torch.float32
        assert torch.equal(loaded[key], tensor.half().float() if half else tensor), key


def test_openais_archive_is_read_and_becomes_float32(tmp_path: Path, state: State) -> None:
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    _assert_same(_load(_archive(tmp_path / "tiny.pt", halves)), half=True)


@pytest.mark.parametrize("suffix", ["pt", "bin", "safetensors"])
def test_state_dicts_are_read_too(tmp_path: Path, state: State, suffix: str) -> None:
    path = tmp_path / f"tiny.{suffix}"
    state = {key: value.contiguous().clone() for key, value in state.items()}
    if suffix == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    _assert_same(_load(path))


@pytest.mark.parametrize(("name", "backbone"), [("ViT-B-16-quickgelu", "vit-b"), ("ViT-L-14-336-quickgelu", "vit-l")])
def test_open_clips_own_models_have_just_these_tensors(name: str, backbone: str) -> None:
    with torch.device("meta"):
        model = open_clip.model.CLIP(**open_clip.get_model_config(name))
    found = report({key: tuple(tensor.shape) for key, tensor in model.state_dict().items()})
    assert found is not None
    assert found.backbone == backbone
    assert found.missing == found.unused == found.misshapen == ()
    # the resized 384 x 384 of ViT-B/16 and the causal mask are no part of a file
    assert found.ignored == ("1 tensor: CLIP's temperature, which is not used",)


@pytest.mark.parametrize(("config", "backbone"), [(VIT_B, "vit-b"), (VIT_L, "vit-l")])
def test_a_file_is_told_by_its_tensors(config: object, backbone: str) -> None:
    shapes = {**file_layout(config).expected, **dict.fromkeys(EXTRAS, ()), "logit_scale": (), "attn_mask": (77, 77)}
    reports, skipped = recognise(shapes)
    assert not skipped
    assert [found.model for found in reports] == ["plain-clip", *(["segearth-ov"] if backbone == "vit-b" else [])]
    found = reports[0]
    assert found.backbone == backbone
    assert found.missing == found.unused == found.misshapen == found.outside == ()
    assert len(found.ignored) == 3
    (sentence,) = found.ambiguous
    assert "GELU" in sentence


def test_no_other_models_files_are_taken_for_clips() -> None:
    for case in ("rskt_vitb_dlrsd", "catseg_vitb_dlrsd", "gsnet_vitb_dlrsd", "segearthov_vitb_potsdam"):
        assert report(case_shapes(case)) is None
    assert report({}) is None
    clip = file_layout(VIT_B).expected
    assert report({**clip, "backbone.stem.weight": (1,)}) is None
    assert report({**clip, "visual.class_embedding": (1280,)}) is None


def test_the_doctor_and_the_command_read_openais_archive(tmp_path: Path, state: State) -> None:
    path = _archive(tmp_path / "tiny.pt", {key: value.half() for key, value in state.items()})
    diagnosis = diagnose(path)
    assert diagnosis.tensors == len(state)
    assert [found.model for found in diagnosis.reports] == ["plain-clip"]
    done = CliRunner().invoke(cli, ["checkpoint", str(path), "--json"], standalone_mode=False, catch_exceptions=False)
    assert done.return_value == 0
    told = json.loads(done.output)["reports"]
    assert [found["model"] for found in told] == ["plain-clip"]


def _changed(path: Path, state: State, changes: dict[str, Tensor | None]) -> Path:
    torch.save({key: value for key, value in {**state, **changes}.items() if value is not None}, path)
    return path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"visual.ln_post.bias": None}, "incomplete, 1 tensor is missing: visual.ln_post.bias; download it again"),
        ({"ln_final.bias": torch.zeros(3)}, "1 tensor is of the wrong shape: ln_final.bias: 3 in the file, 64 expect"),
        ({"visual.extra": torch.zeros(3)}, "1 tensor is unknown to it: visual.extra"),
        ({"text_projection": None}, "is not a checkpoint of CLIP, dense"),
        ({"head": torch.zeros(1)}, "is not a checkpoint of CLIP, dense"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    tmp_path: Path, state: State, changes: dict[str, Tensor | None], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence) as caught:
        _load(_changed(tmp_path / "x.pt", state, changes))
    assert "\n" not in str(caught.value)


def test_another_backbone_another_model_and_another_resolution_are_named(tmp_path: Path, state: State) -> None:
    path = _changed(tmp_path / "x.pt", state, {})
    with pytest.raises(CheckpointError, match="is for tiny, not vit-b; say --backbone tiny"):
        _load(path, "vit-b")
    path = write_zeros(tmp_path / "rskt.pth", case_shapes("rskt_vitb_dlrsd"))
    with pytest.raises(CheckpointError, match=r"is a checkpoint of rskt-seg .*; say --model rskt-seg"):
        _load(path, "vit-b")
    shapes = {**file_layout(VIT_L).expected, "visual.positional_embedding": (257, 1024)}
    with pytest.raises(CheckpointError, match=r"visual\.positional_embedding: 257x1024 in the file, 577x1024 expected"):
        _load(write_zeros(tmp_path / "224.pt", shapes), "vit-l")
