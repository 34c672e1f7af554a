"""Timing several models: which ones, with which settings, and what becomes of one that fails."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ovrisisbench.benchmark.speed import SpeedReport, SpeedTask, models_to_time, time_models
from ovrisisbench.cli import cli
from ovrisisbench.errors import AdapterError, EvaluationError
from ovrisisbench.records.speed import read_speed_records

BROKEN = """
import ovrisisbench.adapter as a


class Broken:
    info = a.AdapterInfo(name="broken", title="Broken", summary="Has no weights.", adapter="x:y",
                         backbones={"tiny": "none"}, kind="training-free")

    @classmethod
    def load(cls, options):
        from ovrisisbench.errors import AdapterError
        raise AdapterError("It cannot be loaded.")

    def set_vocabulary(self, class_names): ...
    def predict(self, images, *, image_ids): ...
    def describe(self): return {}
"""


def test_all_means_every_model_with_a_backbone_of_that_size_but_no_floor():
    found = models_to_time(None, "vit-b")
    assert found["rskt-seg"] == found["cat-seg"] == found["ovris"] == found["gsnet"] == "vit-b"
    assert found["sed"] == "convnext-b"
    assert not {"random", "most-frequent"} & found.keys()
    assert models_to_time(None, "vit-l")["sed"] == "convnext-l"


def test_a_model_without_a_backbone_of_that_size_is_refused():
    with pytest.raises(AdapterError, match="CAT-Seg has no backbone of the size of 'vit-h'; it has vit-b, vit-l, tiny"):
        models_to_time(["cat-seg"], "vit-h")
    with pytest.raises(AdapterError, match="No installed model has a backbone of the size of 'vit-h'"):
        models_to_time(None, "vit-h")


def test_a_setting_goes_to_the_models_that_have_it(tmp_path):
    task = SpeedTask(
        size=64, classes=2, images=1, warm_up=0, device="cpu", settings=["sliding_window=off", "linears=plain"]
    )
    (record,) = time_models({"cat-seg": "tiny"}, task, tmp_path)
    assert record.model.settings["sliding_window"] is False
    assert record.model.settings["linears"] == "plain"
    assert record.parameters.total > record.parameters.trainable > 0
    assert record.flops.counted > 1e6
    assert read_speed_records(tmp_path) == [record]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("sliding=off", "The setting 'sliding' is not one of any of the models"),
        ("ovris:sliding_window=off", "is not one of the model 'ovris'"),
        ("sliding_window", "is not NAME=VALUE or MODEL:NAME=VALUE"),
        ("cat-seg:sliding_window=maybe", "Setting 'sliding_window' of CAT-Seg is 'maybe', but must be one of"),
    ],
)
def test_settings_that_nobody_has_are_refused_before_any_work(tmp_path, setting, sentence):
    with pytest.raises(AdapterError, match=sentence):
        time_models({"cat-seg": "tiny"}, SpeedTask(device="cpu", settings=[setting]), tmp_path)


class _Heard(SpeedReport):
    def __init__(self):
        self.problems = []

    def fail(self, model, problem):
        self.problems.append(problem)


def test_a_model_that_fails_is_left_out_with_its_sentence_and_the_others_go_on(tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    report = _Heard()
    models = models_to_time([f"{tmp_path / 'broken.py'}:Broken", "cat-seg"], "tiny")
    task = SpeedTask(size=64, classes=2, images=1, warm_up=0, device="cpu", settings=["cat-seg:sliding_window=off"])
    (record,) = time_models(models, task, tmp_path, report=report)
    assert record.model.name == "cat-seg"
    assert report.problems == ["It cannot be loaded."]
    with pytest.raises(EvaluationError, match="None of the models could be timed"):
        time_models(models_to_time([f"{tmp_path / 'broken.py'}:Broken"], "tiny"), SpeedTask(device="cpu"), tmp_path)


def test_the_command_shows_measured_and_published_rows_and_stored_ones_again(tmp_path):
    words = ["speed", "--models", "cat-seg", "--backbone", "tiny", "--size", "64", "--images", "1", "--warm-up", "0"]
    words += ["--device", "cpu", "--set", "sliding_window=off", "--results", str(tmp_path), "--classes", "2"]
    first = CliRunner().invoke(cli, [*words, "--export", str(tmp_path / "t.csv")], catch_exceptions=False)
    assert first.exit_code == 0
    assert "CAT-Seg, tiny (whole image)" in first.output
    assert "another machine" in first.output
    assert (tmp_path / "t.csv").read_text().count("\n") == 8
    stored = CliRunner().invoke(cli, ["speed", "--stored", "--results", str(tmp_path), "--json", "--no-published"])
    (section,) = json.loads(stored.stdout)["sections"]
    assert section["rows"][0]["title"] == "CAT-Seg"
