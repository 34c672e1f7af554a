from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapters.inference import linear_choice
from ovrisisbench.adapters.inference.linear_choice import resolve_linears
from ovrisisbench.errors import AdapterError

CPU = torch.device("cpu")


@pytest.fixture
def choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "cache" / "choices.json"
    monkeypatch.setattr(linear_choice, "_choices_file", lambda: file)
    monkeypatch.setattr(linear_choice, "packing_works", lambda: True)
    return file


def _measure(monkeypatch: pytest.MonkeyPatch, *ratios: float) -> None:
    remaining = iter(ratios)
    monkeypatch.setattr(linear_choice, "_measured_ratio", lambda: next(remaining))


@pytest.mark.parametrize(("ratio", "kind"), [(1.14, "plain"), (1.15, "packed"), (2.0, "packed")])
def test_auto_packs_where_it_is_worth_it(
    choices: Path, monkeypatch: pytest.MonkeyPatch, ratio: float, kind: str
) -> None:
    _measure(monkeypatch, ratio)
    assert resolve_linears("auto", CPU) == kind


def test_the_decision_is_measured_once_and_remembered(choices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _measure(monkeypatch, 1.2)  # a second measurement would raise StopIteration
    assert [resolve_linears("auto", CPU) for _ in range(3)] == ["packed"] * 3
    (key,) = json.loads(choices.read_text())
    assert f"torch {torch.__version__}" in key


def test_another_torch_measures_anew_and_keeps_the_old_decision(choices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _measure(monkeypatch, 1.2, 1.0)
    assert resolve_linears("auto", CPU) == "packed"
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert resolve_linears("auto", CPU) == "plain"
    assert len(json.loads(choices.read_text())) == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"x": "fast"}'])
def test_a_damaged_file_counts_as_empty(choices: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    choices.parent.mkdir()
    choices.write_text(content)
    _measure(monkeypatch, 1.3)
    assert resolve_linears("auto", CPU) == "packed"


def test_auto_is_plain_where_nothing_can_be_remembered(choices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choices.parent.write_text("a file where the folder should be")
    _measure(monkeypatch)
    assert resolve_linears("auto", CPU) == "plain"


def test_auto_is_plain_on_other_devices(choices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _measure(monkeypatch)
    assert resolve_linears("auto", torch.device("cuda:0")) == "plain"


def test_packed_is_refused_where_it_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AdapterError, match="needs the CPU"):
        resolve_linears("packed", torch.device("cuda:0"))
    monkeypatch.setattr(linear_choice, "packing_works", lambda: False)
    with pytest.raises(AdapterError, match="needs the CPU"):
        resolve_linears("packed", CPU)
    assert resolve_linears("plain", CPU) == "plain"


def test_a_real_measurement_is_a_plausible_ratio() -> None:
    if not linear_choice.packing_works():
        pytest.skip("this torch has no packed float32 product")
    assert 0.2 < linear_choice._measured_ratio() < 10
