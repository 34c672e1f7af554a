"""Promises of every model of this distribution: files are told apart and refused by name, settings documented."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from ovrisisbench.adapter.doctor import recognise
from ovrisisbench.adapter.interface import AdapterInfo, LoadOptions
from ovrisisbench.adapter.registry import find_adapter, list_adapters
from ovrisisbench.errors import AdapterError, CheckpointError
from tests.adapters.official_shapes import case_shapes, write_zeros

FILES = {
    "catseg_vitb_dlrsd": ("cat-seg", "vit-b"),
    "catseg_vitl_potsdam": ("cat-seg", "vit-l"),
    "gsnet_vitb_dlrsd": ("gsnet", "vit-b"),
    "gsnet_vitl_adapted_potsdam": ("gsnet", "vit-l"),
    "ovrs_vitb_dlrsd": ("ovris", "vit-b"),
    "ovrs_vitl_udd5": ("ovris", "vit-l"),
    "rskt_vitb_dlrsd": ("rskt-seg", "vit-b"),
    "rskt_vitb_original_aggregator": ("rskt-seg", "vit-b"),
    "rskt_vitl_isaid": ("rskt-seg", "vit-l"),
    "san_vitb_dlrsd": ("san", "vit-b"),
    "san_vitl_potsdam": ("san", "vit-l"),
    "scan_vitb_dlrsd": ("scan", "vit-b"),
    "scan_vitl_potsdam": ("scan", "vit-l"),
    "sed_convnextb_dlrsd": ("sed", "convnext-b"),
    "sed_convnextl_potsdam": ("sed", "convnext-l"),
    "segearthov_vitb_potsdam": ("segearth-ov", "vit-b"),
}
"""Parity case -> the model and backbone of its official file."""

NETWORKS = sorted({*(model for model, _ in FILES.values()), "plain-clip"})

MIXED_UP = [
    (case, model)
    for case, model in product([case for case in FILES if "vitb" in case or "convnextb" in case], NETWORKS)
    if FILES[case][0] != model
]
"""Files, and other models that they are given to."""


def _info(model: str) -> AdapterInfo:
    return find_adapter(model).info


def test_every_network_has_official_files_here() -> None:
    found, broken = list_adapters()
    assert not broken
    own = {each.info.name for each in found if each.info.adapter.startswith("ovrisisbench.")}
    assert own == {*NETWORKS, "random", "most-frequent"}


@pytest.mark.parametrize("case", FILES)
def test_an_official_file_is_recognised_as_its_models_alone_and_whole(case: str) -> None:
    reports, skipped = recognise(case_shapes(case))
    assert not skipped
    assert [(report.model, report.backbone) for report in reports] == [FILES[case]]
    (report,) = reports
    assert report.missing == report.unused == report.misshapen == report.outside == ()


@pytest.mark.parametrize(("case", "model"), MIXED_UP)
def test_a_file_given_to_another_model_is_refused_with_its_own_name(tmp_path: Path, case: str, model: str) -> None:
    path = write_zeros(tmp_path / "x.pth", case_shapes(case))
    owner, _ = FILES[case]
    options = LoadOptions(backbone=next(iter(_info(model).backbones)), checkpoint=path)
    with pytest.raises(CheckpointError, match=rf"is a checkpoint of {owner} .*, not of {model}; say --model {owner}"):
        find_adapter(model).load_class().load(options)


@pytest.mark.parametrize(("case", "owner"), [(case, owner) for case, owner in FILES.items() if "rskt" not in case])
def test_a_file_given_to_another_size_is_refused_with_its_own_backbone(
    tmp_path: Path, case: str, owner: tuple[str, str]
) -> None:
    model, backbone = owner
    others = [other for other in _info(model).backbones if other not in {backbone, "tiny"}]
    for other in others:
        options = LoadOptions(backbone=other, checkpoint=write_zeros(tmp_path / "x.pth", case_shapes(case)))
        with pytest.raises(CheckpointError, match=f"for {backbone}, not {other}; say --backbone {backbone}"):
            find_adapter(model).load_class().load(options)
    assert others or model == "segearth-ov"


@pytest.mark.parametrize("model", NETWORKS)
def test_a_network_is_never_drawn_unless_untrained_is_said(model: str) -> None:
    with pytest.raises(AdapterError, match="--untrained"):
        find_adapter(model).load_class().load(LoadOptions(backbone=next(iter(_info(model).backbones))))


@pytest.mark.parametrize("model", NETWORKS)
def test_an_unknown_setting_and_an_unknown_backbone_are_refused_before_anything_is_read(
    tmp_path: Path, model: str
) -> None:
    load = find_adapter(model).load_class().load
    missing = tmp_path / "missing.pth"
    backbone = next(iter(_info(model).backbones))
    with pytest.raises(AdapterError, match=r"no setting .lineras..*linears"):
        load(LoadOptions(backbone=backbone, checkpoint=missing, settings={"lineras": "plain"}))
    with pytest.raises(AdapterError, match=rf"no backbone .resnet..*{backbone}"):
        load(LoadOptions(backbone="resnet", checkpoint=missing))


@pytest.mark.parametrize("model", NETWORKS)
def test_everything_that_models_prints_is_filled_in(model: str) -> None:
    info = _info(model)
    assert all(info.weights)
    assert info.weights
    assert all((info.title, info.summary, info.prompts, info.preprocessing, info.paper, info.licence))
    for name, setting in info.settings.items():
        assert setting.help, name
        assert not setting.choices or setting.default in setting.choices, name
