"""Means over a part of the classes, by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import jaccard_score, recall_score

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.class_means import class_means, harmonic_mean
from ovrisisbench.evaluate.metrics import CONVENTIONS, compute_metrics

square = st.integers(1, 5).flatmap(lambda size: arrays(np.int64, (size, size), elements=st.integers(0, 6)))


@settings(max_examples=80, deadline=None)
@given(square, st.data(), st.sampled_from(CONVENTIONS))
def test_the_means_over_parts_make_up_the_mean_over_all_classes(counts, data, convention):
    size = len(counts)
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    parts = [class_means(counts, groups == group, convention) for group in range(3)]
    whole = compute_metrics(counts, convention)
    assert sum(part.num_classes for part in parts) == size
    assert sum(part.classes_in_miou for part in parts) == whole.classes_in_miou
    assert sum(part.classes_in_macc for part in parts) == whole.classes_in_macc
    if whole.miou is not None:
        assert sum((part.miou or 0) * part.classes_in_miou for part in parts) == pytest.approx(
            whole.miou * whole.classes_in_miou
        )
        assert sum((part.macc or 0) * part.classes_in_macc for part in parts) == pytest.approx(
            whole.macc * whole.classes_in_macc
        )


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, 40, elements=st.integers(0, 3)), arrays(np.uint8, 40, elements=st.integers(0, 3)))
def test_predictions_outside_the_part_still_count_as_errors(target, prediction):
    counts = np.zeros((4, 4), np.int64)
    np.add.at(counts, (target, prediction), 1)
    found = class_means(counts, [True, False, True, False], "detectron2")
    there = [label for label in (0, 2) if label in target]
    if not there:
        assert (found.miou, found.macc) == (None, None)
        return
    assert found.miou == pytest.approx(jaccard_score(target, prediction, labels=there, average="macro"))
    assert found.macc == pytest.approx(recall_score(target, prediction, labels=there, average="macro"))


def test_a_predicted_class_without_truth_is_a_zero_of_its_own_part_only_under_the_old_convention():
    counts = np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]])
    part = [True, False, True]
    new, old = (class_means(counts, part, convention) for convention in CONVENTIONS)
    assert (new.miou, new.classes_in_miou, new.num_classes) == (0.75, 1, 2)
    assert (old.miou, old.classes_in_miou, old.macc) == (0.375, 2, 0.75)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_part_without_truth_has_no_mean(convention):
    counts = np.array([[3, 1], [0, 0]])
    found = class_means(counts, [False, True], convention)
    assert (found.miou, found.macc, found.classes_in_macc) == (None, None, 0)


def test_flags_must_be_one_for_each_class():
    with pytest.raises(EvaluationError, match="3 classes, but 2 flags"):
        class_means(np.eye(3, dtype=np.int64), [True, False], "detectron2")


@given(st.floats(0, 100), st.floats(0, 100))
def test_the_harmonic_mean_lies_between_the_smaller_and_the_arithmetic_mean(first, second):
    found = harmonic_mean(first, second)
    assert min(first, second) - 1e-9 <= found <= (first + second) / 2 + 1e-9
