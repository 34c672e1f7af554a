from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.sed.adapter import SEDAdapter
from ovrisisbench.adapters.sed.config import BACKBONES, TINY
from ovrisisbench.adapters.sed.official import file_layout, report
from ovrisisbench.errors import AdapterError, CheckpointError
from tests.adapters.official_shapes import case_shapes, write_checkpoint, write_zeros
from tests.adapters.sed.networks import TINY_LINEAR_HEAD, sed_state, tiny_network, unit_vectors
from tests.adapters.sed.second_version import CLIP, DECODER

CASES = {"convnext-b": "sed_convnextb_dlrsd", "convnext-l": "sed_convnextl_potsdam"}
HEAD_BIAS = f"{DECODER}head.bias"

State = dict[str, Tensor]


def _load(path: Path, backbone: str = "tiny", **settings: str) -> SEDAdapter:
    return SEDAdapter.load(LoadOptions(backbone=backbone, checkpoint=path, settings={"linears": "plain", **settings}))


@pytest.mark.parametrize("backbone", CASES)
def test_published_files_are_read_whole(backbone: str) -> None:
    found = report(case_shapes(CASES[backbone]))
    assert found is not None
    assert (found.model, found.backbone) == ("sed", backbone)
    assert found.missing == found.unused == found.misshapen == found.outside == ()
    assert found.ignored == ("1 tensor: CLIP's temperature, stored but never used",)
    assert found.vocabulary_size is None, "any vocabulary fits"
    (untold,) = found.ambiguous
    assert "pooling" in untold


@pytest.mark.parametrize(
    ("backbone", "total", "trained", "decoder"),
    [("convnext-b", 180_761_741, 89_598_220, 1_376_396), ("convnext-l", 353_245_773, 201_243_980, 1_473_164)],
)
def test_published_parameter_counts(backbone: str, total: int, trained: int, decoder: int) -> None:
    layout = file_layout(BACKBONES[backbone])
    sizes = {key: torch.Size(shape).numel() for key, shape in layout.expected.items()}
    assert sum(sizes.values()) + 1 == total, "the official count has logit_scale in it"
    assert layout.trained_values == trained
    assert sum(size for key, size in sizes.items() if key.startswith(DECODER)) == decoder


@pytest.mark.parametrize("wrapped", [True, False])
def test_an_official_file_gives_its_network(tmp_path: Path, wrapped: bool) -> None:
    network = tiny_network(seed=5)
    path = tmp_path / "model_final.pth"
    if wrapped:
        write_checkpoint(path, sed_state(network))
    else:
        torch.save(sed_state(network), path)
    loaded = _load(path).network
    for (name, ours), (other, theirs) in zip(loaded.state_dict().items(), network.state_dict().items(), strict=True):
        assert name == other
        assert torch.equal(ours, theirs)
    image, text = torch.randn(1, 3, 128, 128), unit_vectors(3, TINY.text.embedding)
    with torch.no_grad():
        torch.testing.assert_close(loaded(image, text), network(image, text), atol=1e-4, rtol=1e-4)


def test_names_are_the_official_ones() -> None:
    names = file_layout(TINY_LINEAR_HEAD).expected
    published = set(case_shapes(CASES["convnext-b"]))
    assert set(names) <= published
    assert set(file_layout(BACKBONES["convnext-b"]).expected) == published - {f"{CLIP}logit_scale"}


def _without(key: str) -> Callable[[State], State]:
    return lambda state: {name: value for name, value in state.items() if name != key}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_without(HEAD_BIAS), f"is incomplete, 1 tensor is missing: {HEAD_BIAS}; download it again"),
        (lambda state: state | {HEAD_BIAS: torch.zeros(2)}, "wrong shape: .*head.bias: 2 in the file, 1 expected"),
        (lambda state: state | {"ema": torch.zeros(1)}, "1 tensor is unknown to it: ema"),
        (_without(f"{CLIP}visual.trunk.stem.0.weight"), "is for convnext-b, not tiny"),
        (lambda _: {"fc.weight": torch.zeros(2, 2)}, "is not a checkpoint of SED"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[State], State], sentence: str
) -> None:
    path = write_checkpoint(tmp_path / "model_final.pth", change(sed_state(tiny_network())))
    with pytest.raises(CheckpointError, match=sentence) as caught:
        _load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_head_is_named() -> None:
    shapes = case_shapes(CASES["convnext-l"])
    del shapes[f"{CLIP}visual.head.mlp.fc2.weight"]
    found = report(shapes)
    assert found is not None
    assert found.missing == (f"{CLIP}visual.head.mlp.fc2.weight",)


def test_another_backbone_is_named(tmp_path: Path) -> None:
    path = write_zeros(tmp_path / "x.pth", case_shapes(CASES["convnext-l"]))
    with pytest.raises(CheckpointError, match="is for convnext-l, not convnext-b; say --backbone convnext-l"):
        _load(path, "convnext-b")


@pytest.mark.parametrize("backbone", ["vit-b", "convnext"])
def test_an_unknown_backbone_is_refused(backbone: str) -> None:
    with pytest.raises(AdapterError, match=f"no backbone '{backbone}'; there are convnext-b, convnext-l, tiny"):
        SEDAdapter.load(LoadOptions(backbone=backbone, untrained=True))
