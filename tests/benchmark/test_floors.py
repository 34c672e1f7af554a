"""The warning of a run that does not beat an answer given without looking."""

from pathlib import Path

import numpy as np

from ovrisisbench.benchmark import RunReport, run
from ovrisisbench.benchmark.floors import floor_warning
from tests.records.examples import a_floor, a_model, a_record, a_table

DRAWN = Path(__file__).parent.parent / "adapter" / "drawn_adapters.py"
TRUTH = np.array([60, 30, 10])
GOOD = a_table([np.diag(TRUTH)])
SHIFTED = a_table([np.roll(np.diag(TRUTH), 1, axis=1)])
MOST_FREQUENT = a_table([np.array([[60, 0, 0], [30, 0, 0], [10, 0, 0]])])


def test_a_model_above_the_floor_gets_no_warning():
    assert floor_warning([a_record(table=GOOD)]) is None
    assert floor_warning([]) is None


def test_a_model_under_the_floor_gets_one_that_names_the_usual_causes():
    sentence = floor_warning([a_record(table=GOOD, dataset="vdd"), a_record(table=SHIFTED, dataset="uavid")])
    assert sentence.startswith(
        "mIoU is not above the floor: uavid 0.00 (answering the most frequent class gives 20.00)"
    )
    for cause in ("shifted by one", "vocabulary in another order", "checkpoint", "untrained weights", "red and blue"):
        assert cause in sentence
    assert "prompts" in sentence
    assert "vdd" not in sentence


def test_a_model_exactly_at_the_floor_is_warned_of():
    assert "loveda 20.00" in floor_warning([a_record(table=MOST_FREQUENT)])


def test_the_higher_of_the_two_floors_counts():
    even = a_table([np.roll(np.diag([50, 50, 50]), 1, axis=1)])
    assert "a random class gives 20.00" in floor_warning([a_record(table=even)])


def test_untrained_weights_are_named_as_the_cause():
    model = a_model(weights="untrained", checkpoint=None, seed=0)
    sentence = floor_warning([a_record(table=SHIFTED, model=model)])
    assert "as must be expected of untrained weights" in sentence
    assert "Usual causes" not in sentence


def test_floors_are_not_warned_of():
    assert floor_warning([a_record(table=MOST_FREQUENT, model=a_floor())]) is None


def test_data_without_a_labelled_pixel_have_no_floor():
    assert floor_warning([a_record(table=a_table([np.zeros((3, 3))]))]) is None


class _Hears(RunReport):
    def __init__(self):
        self.warnings = []

    def warn(self, sentence):
        self.warnings.append(sentence)


def test_a_run_ends_with_the_warning_and_a_floor_with_none(drawn_data, tmp_path):
    heard = _Hears()
    (record,) = run(
        f"{DRAWN}:Brightness", data=drawn_data, results=tmp_path, datasets=["isaid"], device="cpu", report=heard
    )
    expected = floor_warning([record])
    assert heard.warnings == ([] if expected is None else [expected])
    assert expected is not None
    again = _Hears()
    run("most-frequent", data=drawn_data, results=tmp_path, datasets=["isaid"], device="cpu", report=again)
    assert again.warnings == []
