"""Timing: what the clock sees, what it does not, and that memory is measured."""

import multiprocessing
from types import SimpleNamespace

import numpy as np
import pytest

from ovrisisbench.adapter import ScoreMap
from ovrisisbench.errors import AdapterError
from ovrisisbench.evaluate import speed
from ovrisisbench.evaluate.memory import PeakMemory
from ovrisisbench.evaluate.speed import drawn_images, measure_speed


class _Sleeper:
    """Takes 60 ms for its text, 40 ms for its first image and 10 ms for every other; holds 64 MiB while scoring."""

    def __init__(self, classes: int = 3) -> None:
        self.seen: list[str] = []
        self.classes = classes
        self.now = 0.0

    def set_vocabulary(self, class_names):
        self.now += 0.06

    def predict(self, images, *, image_ids):
        self.seen += image_ids
        held = np.ones(8 << 20)
        self.now += 0.04 if len(self.seen) == 1 else 0.01
        return [ScoreMap(np.full((self.classes, 2, 2), held[0], np.float32), image.shape[:2]) for image in images]

    def describe(self):
        return {}


def _measured(adapter, count=5, warm_up=1):
    return measure_speed(
        adapter,
        drawn_images(count, 64),
        class_names=["a", "b", "c"],
        warm_up=warm_up,
        device="cpu",
        memory=PeakMemory("cpu"),
    )


def test_text_and_warm_up_are_in_no_time_of_an_image(monkeypatch):
    adapter = _Sleeper()
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: adapter.now))
    measured = _measured(adapter)
    assert measured.image_ms == pytest.approx([10] * 4)
    assert measured.text_ms == pytest.approx(60)
    assert adapter.seen == [*(f"drawn_{index}" for index in range(5)), "drawn_0"], "the last one is for the operations"


def _peak_of_a_sleeper() -> float | None:
    _measured(_Sleeper())  # loads what is loaded at first use
    return _measured(_Sleeper()).peak_memory_mib


def test_the_peak_of_memory_is_that_of_scoring():
    # As 'speed' does it, in a process of its own: what this one frees meanwhile would be missing.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        peak = pool.apply(_peak_of_a_sleeper)
    if peak is None:
        pytest.skip("this system does not tell")
    assert 60 <= peak < 200


def test_a_model_that_breaks_its_contract_is_not_timed():
    with pytest.raises(AdapterError, match=r"has shape \(2, 2, 2\), not \(3, h, w\)"):
        _measured(_Sleeper(classes=2))


def test_drawn_images_differ_and_are_the_same_every_time():
    first, again = drawn_images(3, 65), drawn_images(3, 65)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert {image.shape for image in first} == {(65, 65, 3)}
    assert not np.array_equal(first[0], first[1])
    assert first[0].std() > 20
