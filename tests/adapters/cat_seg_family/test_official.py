"""Official files of CAT-Seg, OVRIS and GSNet: recognised, counted, read, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.doctor import recognise
from ovrisisbench.adapter.interface import CheckpointReport, LoadOptions
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.cat_seg import config as cat_seg_config
from ovrisisbench.adapters.cat_seg import official as cat_seg
from ovrisisbench.adapters.cost_aggregation.official_names import HEAD, PREDICTOR
from ovrisisbench.adapters.gsnet import config as gsnet_config
from ovrisisbench.adapters.gsnet import official as gsnet
from ovrisisbench.adapters.ovris import config as ovris_config
from ovrisisbench.adapters.ovris import official as ovris
from ovrisisbench.errors import AdapterError, CheckpointError
from tests.adapters.official_shapes import case_shapes, official_state, write_checkpoint

MODELS = {"cat-seg": (cat_seg, cat_seg_config), "ovris": (ovris, ovris_config), "gsnet": (gsnet, gsnet_config)}

CASES = {
    "catseg_vitb_dlrsd": ("cat-seg", "vit-b", 154_289_378, 25_115_873),
    "catseg_vitl_potsdam": ("cat-seg", "vit-l", 433_726_946, 70_270_177),
    "ovrs_vitb_dlrsd": ("ovris", "vit-b", 154_312_086, 25_138_581),
    "ovrs_vitl_udd5": ("ovris", "vit-l", 433_749_654, 70_292_885),
    "gsnet_vitb_dlrsd": ("gsnet", "vit-b", 243_988_242, 29_006_865),
    "gsnet_vitl_adapted_potsdam": ("gsnet", "vit-l", 524_212_498, 74_947_857),
}
"""Case -> model, backbone, all parameters, trainable ones, as counted on the official models."""


def _report(case: str) -> CheckpointReport:
    found = MODELS[CASES[case][0]][0].report(case_shapes(case))
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_its_models_alone_and_nothing_is_missing(case: str) -> None:
    reports, skipped = recognise(case_shapes(case))
    assert not skipped
    (found,) = reports
    assert (found.model, found.backbone) == CASES[case][:2]
    assert found.missing == found.unused == found.misshapen == found.outside == ()
    assert found.settings["layers"] == "2"
    assert found.vocabulary_size is found.trained_classes is None, "the files do not tell"


@pytest.mark.parametrize("case", CASES)
def test_parameters_are_counted_as_the_official_code_counts_them(case: str) -> None:
    model, backbone, total, trained = CASES[case]
    official, config = MODELS[model]
    layout = official.file_layout(config.BACKBONES[backbone])
    assert sum(torch.Size(shape).numel() for shape in layout.expected.values()) + 1 == total, "and logit_scale"
    assert layout.trained_values == trained


def test_stored_masks_are_ignored_with_a_reason() -> None:
    shapes = case_shapes("catseg_vitb_dlrsd")
    shapes |= {f"{HEAD}layers.{layer}.swin_block.block_2.attn_mask": (4, 144, 144) for layer in range(2)}
    found = cat_seg.report(shapes)
    assert found is not None
    assert found.unused == ()
    assert any(line.startswith("2 tensors: the mask of the shifted windows") for line in found.ignored)


def test_what_a_file_cannot_tell_is_said() -> None:
    (sentence,) = _report("catseg_vitb_dlrsd").ambiguous
    assert "pooling" in sentence


def test_the_ablations_of_ovris_are_told_apart_and_without_both_it_is_cat_seg() -> None:
    full = case_shapes("ovrs_vitb_dlrsd")
    without_attention = {key: shape for key, shape in full.items() if ".cconv." not in key and ".sconv." not in key}
    rotation_only = ovris.report(without_attention)
    attention_only = ovris.report({**full, f"{HEAD}conv1.weight": (128, 1, 7, 7)})
    assert rotation_only is not None
    assert attention_only is not None
    assert rotation_only.settings == {"layers": "2", "rotate": "on", "guidance_attention": "off"}
    assert attention_only.settings == {"layers": "2", "rotate": "off", "guidance_attention": "on"}
    assert rotation_only.missing == rotation_only.unused == attention_only.missing == attention_only.unused == ()
    neither = {**without_attention, f"{HEAD}conv1.weight": (128, 1, 7, 7)}
    assert ovris.report(neither) is None
    assert cat_seg.report(neither) is not None


def test_gsnet_without_rsib_is_still_gsnets_and_says_what_it_needs() -> None:
    shapes = {key: shape for key, shape in case_shapes("gsnet_vitb_dlrsd").items() if not key.startswith("dino_model.")}
    ((found,), _) = recognise(shapes)
    assert found.model == "gsnet"
    assert found.missing == ()
    assert found.outside == ("RSIB is not in this file; give its own file, RSIB.pth, with --weights rsib=FILE",)


def _tiny(model: str, **changes: object) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    official, config = MODELS[model]
    layout = official.file_layout(config.TINY)
    torch.manual_seed(0)
    network = layout.build().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network, official_state(network, layout)


def _load(model: str, path: Path, backbone: str = "tiny", **options: object):
    return find_adapter(model).load_class().load(LoadOptions(backbone=backbone, checkpoint=path, **options))


@torch.no_grad()
@pytest.mark.parametrize("model", MODELS)
def test_a_file_gives_the_network_that_it_was_saved_from(model: str, tmp_path: Path) -> None:
    network, state = _tiny(model)
    adapter = _load(model, write_checkpoint(tmp_path / "x.pth", state), settings={"linears": "plain"})
    loaded = adapter.network.state_dict()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in network.state_dict().items())
    image, text = (
        torch.randn(1, 3, 96, 96),
        torch.nn.functional.normalize(torch.randn(3, network.config.clip.embedding), dim=-1),
    )
    torch.testing.assert_close(adapter.network(image, text), network(image, text), atol=1e-4, rtol=1e-4)
    assert not any(parameter.requires_grad for parameter in adapter.network.parameters())


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "module.backbone."])
def test_rsibs_own_file_completes_a_checkpoint(tmp_path: Path, prefix: str) -> None:
    network, state = _tiny("gsnet")
    rest = {key: tensor for key, tensor in state.items() if not key.startswith("dino_model.")}
    rsib = {f"{prefix}{key.removeprefix('dino_model.')}": state[key] for key in state.keys() - rest.keys()}
    rsib[f"{prefix}head.mlp.0.weight"] = torch.zeros(2, 2)
    torch.save({"student": {}, "teacher": {key: tensor.clone() for key, tensor in rsib.items()}}, tmp_path / "RSIB.pth")
    path = write_checkpoint(tmp_path / "x.pth", rest)
    with pytest.raises(
        CheckpointError, match=r"does not hold everything that GSNet needs: RSIB .* --weights rsib=FILE"
    ):
        _load("gsnet", path)
    adapter = _load("gsnet", path, beside={"rsib": tmp_path / "RSIB.pth"})
    assert torch.equal(adapter.network.dino.norm.bias, network.dino.norm.bias)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"upsample1.bias": None}, "is incomplete, 1 tensor is missing: upsample1.bias; download it again"),
        ({f"{HEAD}head.bias": torch.zeros(2)}, "wrong shape: .*head.bias: 2 in the file, 1 expected"),
        ({"ema": torch.zeros(1)}, "1 tensor is unknown to it: ema"),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    model: str, changes: dict[str, torch.Tensor | None], sentence: str, tmp_path: Path
) -> None:
    _, state = _tiny(model)
    state = {key: tensor for key, tensor in {**state, **changes}.items() if tensor is not None}
    with pytest.raises(CheckpointError, match=sentence) as caught:
        _load(model, write_checkpoint(tmp_path / "x.pth", state))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", MODELS)
def test_another_backbone_is_named(model: str, tmp_path: Path) -> None:
    _, state = _tiny(model)
    with pytest.raises(CheckpointError, match="is for tiny, not vit-l; say --backbone tiny"):
        _load(model, write_checkpoint(tmp_path / "x.pth", state), backbone="vit-l")
    with pytest.raises(AdapterError, match="has no backbone 'vit-h'; there are vit-b, vit-l, tiny"):
        _load(model, write_checkpoint(tmp_path / "x.pth", state), backbone="vit-h")


def test_a_file_of_nothing_known_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"fc.weight": torch.zeros(2, 2)})
    with pytest.raises(CheckpointError, match="is not a checkpoint of CAT-Seg"):
        _load("cat-seg", path, backbone="vit-b")


def test_a_backbone_that_nobody_knows_leaves_the_file_misshapen() -> None:
    shapes = case_shapes("catseg_vitb_dlrsd")
    shapes[f"{PREDICTOR}clip_model.visual.class_embedding"] = (1280,)
    found = cat_seg.report(shapes)
    assert found is not None
    assert found.backbone == "vit-b"
    assert found.misshapen
