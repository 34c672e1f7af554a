"""Floors and ceilings against answers that are really given, and against every possible answer."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.bounds import (
    closed_set_confusion,
    most_frequent_confusion,
    oracle_confusion,
    random_confusion,
    truth_of,
)
from ovrisisbench.evaluate.metrics import CONVENTIONS, compute_metrics


def test_the_random_floor_is_what_many_random_answers_give():
    truth = np.array([40_000, 9_000, 1_000, 0])
    labels = np.repeat(np.arange(4), truth)
    drawn = np.random.default_rng(7).integers(0, 4, labels.shape)
    counted = np.zeros((4, 4), np.int64)
    np.add.at(counted, (labels, drawn), 1)
    for convention in CONVENTIONS:
        expected, found = (compute_metrics(counts, convention) for counts in (random_confusion(truth), counted))
        assert expected.miou == pytest.approx(found.miou, abs=0.002)
        assert expected.macc == pytest.approx(0.25)
        assert expected.classes_in_miou == found.classes_in_miou


def test_the_random_floor_is_the_formula():
    truth = np.array([6, 3, 1])
    by_hand = np.mean([n / 3 / (n + 10 / 3 - n / 3) for n in truth])
    assert compute_metrics(random_confusion(truth)).miou == pytest.approx(by_hand)


def test_the_most_frequent_floor_finds_one_class():
    found = compute_metrics(most_frequent_confusion(np.array([2, 6, 0])))
    assert (found.iou, found.acc) == ((0.0, 0.75, None), (0.0, 1.0, None))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_oracle_reaches_everything_over_the_classes_with_truth(convention):
    found = compute_metrics(oracle_confusion(np.array([2, 0, 5])), convention)
    assert (found.miou, found.macc, found.classes_in_miou, found.num_classes) == (1.0, 1.0, 2, 3)


def every_answer(truth, known):
    """All ways of giving the pixels of unknown classes to known ones, one whole or split in any way."""
    unknown = [index for index, flag in enumerate(known) if not flag]
    named = [index for index, flag in enumerate(known) if flag]
    shares = [
        [split for split in itertools.product(range(truth[one] + 1), repeat=len(named)) if sum(split) == truth[one]]
        for one in unknown
    ]
    for chosen in itertools.product(*shares):
        counts = np.diag(np.where(known, truth, 0))
        for one, split in zip(unknown, chosen, strict=True):
            counts[one, named] += np.asarray(split)
        yield counts


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=4).filter(
        lambda classes: any(known for _, known in classes) and any(pixels for pixels, _ in classes)
    ),
    st.sampled_from(CONVENTIONS),
)
def test_no_answer_with_the_known_classes_beats_the_closed_set_ceiling(classes, convention):
    truth, known = np.array([pixels for pixels, _ in classes]), [flag for _, flag in classes]
    ceiling = closed_set_confusion(truth, known, convention)
    assert truth_of(ceiling).tolist() == truth.tolist()
    assert not ceiling[:, ~np.array(known)].any()
    best = max(compute_metrics(counts, convention).miou for counts in every_answer(truth, known))
    assert compute_metrics(ceiling, convention).miou == pytest.approx(best)


def test_a_labeller_without_any_known_class_has_no_ceiling():
    assert closed_set_confusion(np.array([1, 2]), [False, False], "detectron2") is None


@pytest.mark.parametrize("truth", [np.array([1.0, 2.0]), np.array([[1, 2]]), np.array([1, -2]), np.array([], int)])
def test_what_are_no_counts_is_refused(truth):
    for bound in (random_confusion, most_frequent_confusion, oracle_confusion):
        with pytest.raises(EvaluationError, match="give K counts"):
            bound(truth)
    with pytest.raises(EvaluationError, match="give one each"):
        closed_set_confusion(np.array([1, 2]), [True], "detectron2")
