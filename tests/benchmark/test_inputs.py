"""What a run was asked to do is checked before anything heavy happens."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter import LoadOptions, find_adapter, registry
from ovrisisbench.benchmark.inputs import examine_checkpoint
from ovrisisbench.errors import CheckpointError


@pytest.fixture
def seven(tmp_path, monkeypatch) -> Path:
    """A checkpoint that is bound to seven classes, of a model that is installed."""
    points = [
        EntryPoint("bound", "tests.adapter.drawn_adapters:BOUND", registry.ENTRY_POINT_GROUP),
        EntryPoint("rskt-seg", "ovrisisbench.adapters.rskt_seg:INFO", registry.ENTRY_POINT_GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    torch.save({"bound.weight": torch.ones(7, 3)}, tmp_path / "seven.pth")
    return tmp_path / "seven.pth"


def _examine(model: str, checkpoint: Path | None, classes: dict[str, int]) -> str | None:
    return examine_checkpoint(find_adapter(model), LoadOptions(backbone="none", checkpoint=checkpoint), classes)


def test_weights_bound_to_another_number_of_classes_are_refused(seven):
    with pytest.raises(CheckpointError, match="is bound to 7 classes, but isaid has 15"):
        _examine("bound", seven, {"vdd": 7, "isaid": 15})


def test_weights_of_another_model_are_refused_by_its_name(seven):
    with pytest.raises(CheckpointError, match=r"belongs to bound \(none\), not to rskt-seg; say --model bound"):
        _examine("rskt-seg", seven, {"vdd": 7})


def test_fitting_weights_are_digested(seven):
    assert len(bytes.fromhex(_examine("bound", seven, {"vdd": 7}))) == 32


def test_without_a_checkpoint_there_is_nothing_to_examine(seven):
    assert _examine("bound", None, {"vdd": 7}) is None
