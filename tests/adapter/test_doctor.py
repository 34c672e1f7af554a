"""The checkpoint doctor asks every model, and survives one whose reader fails."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
import torch

from ovrisisbench.adapter import FoundAdapter, registry
from ovrisisbench.adapter.doctor import diagnose, recognise
from tests.adapter import drawn_adapters


@pytest.fixture
def bound_is_installed(monkeypatch):
    points = [
        EntryPoint("bound", "tests.adapter.drawn_adapters:BOUND", registry.ENTRY_POINT_GROUP),
        EntryPoint("rskt-seg", "ovrisisbench.adapters.rskt_seg:INFO", registry.ENTRY_POINT_GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


@pytest.mark.usefixtures("bound_is_installed")
def test_the_model_that_knows_the_file_reports_its_vocabulary_size(tmp_path):
    torch.save({"bound.weight": torch.ones(7, 3)}, tmp_path / "seven.pth")
    diagnosis = diagnose(tmp_path / "seven.pth")
    (report,) = diagnosis.reports
    assert (report.model, report.vocabulary_size) == ("bound", 7)
    assert (diagnosis.tensors, diagnosis.parameters, diagnosis.file) == (1, 21, "seven.pth")


@pytest.mark.usefixtures("bound_is_installed")
def test_a_reader_that_fails_is_reported_and_the_others_are_asked():
    broken = replace(
        drawn_adapters.BOUND, name="broken", checkpoint_reader="tests.adapter.drawn_adapters:failing_report"
    )
    reports, skipped = recognise({"bound.weight": (7, 3)}, also=FoundAdapter(broken, "tests"))
    assert [report.model for report in reports] == ["bound"]
    assert skipped == ["This reader is out of order; install a newer one."]


def test_weights_that_nobody_knows_have_no_report():
    assert recognise({"stem.weight": (3,)}) == ([], [])
