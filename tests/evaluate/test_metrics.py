"""Metric definitions on hand-computed counts, against Detectron2's formulas and torchmetrics."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from ovrisisbench.catalog.protocols import Convention
from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate import CONVENTIONS, compute_metrics, confusion
from tests.evaluate.drawn_maps import large_pair


def detectron2_metrics(counts, convention):
    """Compute fractions with Detectron2's definitions: ``counts`` has truth in columns, all K of them."""
    truth, predicted = counts.sum(0).astype(float), counts.sum(1).astype(float)
    hits = counts.diagonal().astype(float)
    valid_acc = truth > 0
    union = truth + predicted - hits
    valid_iou = valid_acc & (union > 0) if convention == "detectron2" else (truth + predicted) > 0
    acc, iou = np.full((2, len(counts)), np.nan)
    acc[valid_acc] = hits[valid_acc] / truth[valid_acc]
    iou[valid_acc] = hits[valid_acc] / union[valid_acc]
    weights = truth / truth.sum()
    return {
        "miou": iou[valid_acc].sum() / valid_iou.sum(),
        "macc": acc[valid_acc].sum() / valid_acc.sum(),
        "fwiou": (iou[valid_acc] * weights[valid_acc]).sum(),
        "pacc": hits.sum() / truth.sum(),
    }


@st.composite
def confusions(draw):
    """Draw counts with empty rows and columns among them, and some truth."""
    size = draw(st.integers(1, 12))
    counts = draw(hnp.arrays(np.int64, (size, size), elements=st.sampled_from([0, 0, 1, 5, 10**6, 2**40])))
    counts[draw(st.lists(st.integers(0, size - 1), max_size=3))] = 0
    counts[draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))] += 1
    return counts


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(counts=confusions())
def test_metrics_equal_detectron2s_definitions(convention, counts):
    ours = compute_metrics(counts, convention)
    for name, theirs in detectron2_metrics(counts.T, convention).items():
        assert getattr(ours, name) == pytest.approx(theirs, rel=1e-12, abs=1e-15), name


@pytest.mark.parametrize("num_classes", [6, 17])
def test_metrics_equal_those_of_torchmetrics(num_classes):
    prediction, target, _ = large_pair(num_classes, (300, 400), seed=num_classes)
    prediction[prediction == 1] = 2  # a class with truth that is never predicted
    target[target == 4] = 255  # a class without truth that is predicted
    maps = [torch.from_numpy(array).int() for array in (prediction, target)]
    settings = {"num_classes": num_classes, "ignore_index": 255, "validate_args": False}
    counts = confusion(prediction, target, num_classes)
    ours = compute_metrics(counts)
    theirs = multiclass_jaccard_index(*maps, average="none", **settings)
    for value, expected in zip(ours.iou, theirs.tolist(), strict=True):
        assert expected == 0 if value is None else value == pytest.approx(expected, rel=1e-6)
    # torchmetrics' macro average runs over classes in the truth or in the prediction.
    old = compute_metrics(counts, "detectron2-0.6")
    macro = multiclass_jaccard_index(*maps, average="macro", **settings)
    assert old.miou == pytest.approx(macro.item(), rel=1e-6)
    assert ours.miou > old.miou
    assert ours.pacc == pytest.approx(multiclass_accuracy(*maps, average="micro", **settings).item(), rel=1e-6)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_hand_computed_values(convention):
    counts = np.array([[5, 1, 0], [2, 6, 0], [0, 1, 5]])
    found = compute_metrics(counts, convention)
    assert found.iou == pytest.approx((5 / 8, 6 / 10, 5 / 6))
    assert found.acc == pytest.approx((5 / 6, 6 / 8, 5 / 6))
    assert found.miou == pytest.approx((5 / 8 + 6 / 10 + 5 / 6) / 3)
    assert found.macc == pytest.approx((5 / 6 + 6 / 8 + 5 / 6) / 3)
    assert found.fwiou == pytest.approx((6 * 5 / 8 + 8 * 6 / 10 + 6 * 5 / 6) / 20)
    assert found.pacc == pytest.approx(16 / 20)
    assert (found.classes_in_miou, found.classes_in_macc, found.num_classes) == (3, 3, 3)
    assert found.convention == convention


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_class_without_truth_that_is_never_predicted_is_in_no_mean(convention):
    found = compute_metrics(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), convention)
    assert found.miou == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert (found.iou[2], found.acc[2]) == (None, None)
    assert (found.classes_in_miou, found.classes_in_macc, found.num_classes) == (2, 2, 3)


@pytest.mark.parametrize(("convention", "classes"), [("detectron2", 2), ("detectron2-0.6", 3)])
def test_a_class_without_truth_that_is_predicted_counts_as_zero_only_in_the_old_convention(convention, classes):
    found = compute_metrics(np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]]), convention)
    assert found.miou == pytest.approx((3 / 4 + 4 / 4) / classes)
    assert found.macc == pytest.approx((3 / 4 + 4 / 4) / 2)
    assert found.fwiou == pytest.approx((3 / 4 + 4 / 4) / 2)
    assert found.pacc == pytest.approx(7 / 8)
    assert (found.iou[2], found.acc[2]) == (None, None)
    assert (found.classes_in_miou, found.classes_in_macc) == (classes, 2)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_class_with_truth_that_is_never_predicted_is_a_zero_in_every_mean(convention):
    found = compute_metrics(np.array([[0, 2], [0, 6]]), convention)
    assert found.iou == (0.0, 0.75)
    assert found.acc == (0.0, 1.0)
    assert (found.miou, found.macc) == (0.375, 0.5)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("target", [np.full((4, 5), 255, np.uint8), np.zeros((0, 5), np.uint8)])
def test_only_ignored_pixels_or_none_at_all_leave_every_metric_undefined(convention, target):
    found = compute_metrics(confusion(np.zeros_like(target), target, 3), convention)
    assert (found.miou, found.macc, found.fwiou, found.pacc) == (None,) * 4
    assert (found.iou, found.acc) == ((None,) * 3, (None,) * 3)
    assert (found.classes_in_miou, found.classes_in_macc) == (0, 0)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_single_class_is_always_found(convention):
    found = compute_metrics(np.array([[7]]), convention)
    assert (found.miou, found.macc, found.fwiou, found.pacc) == (1, 1, 1, 1)


def test_the_published_potsdam_log_averages_to_its_miou():
    """An official evaluation log of RSKT-Seg ViT-B (trained on DLRSD) gives per-class IoUs and their mean."""
    published = [
        44.963001564039104,
        54.76287452676476,
        35.65601175042812,
        17.238134372725476,
        52.85165493986405,
        1.6867583082828441,
    ]
    # Counts with just these IoUs: each class loses and gains `errors` pixels to and from its neighbours.
    errors = 10**13
    hits = [round(2 * errors * iou / (100 - iou)) for iou in published]
    counts = np.diag(hits) + errors * np.roll(np.eye(6, dtype=np.int64), 1, axis=1)
    found = compute_metrics(counts)
    assert [100 * value for value in found.iou] == pytest.approx(published, abs=1e-10)
    assert 100 * found.miou == pytest.approx(34.526405910350725, abs=1e-10)


@given(counts=confusions(), data=st.data())
def test_the_order_of_the_classes_does_not_matter(counts, data):
    order = data.draw(st.permutations(range(len(counts))))
    one = compute_metrics(counts)
    other = compute_metrics(counts[np.ix_(order, order)])
    assert [one.iou[index] for index in order] == list(other.iou)
    assert other.miou == pytest.approx(one.miou, rel=1e-12)
    assert other.fwiou == pytest.approx(one.fwiou, rel=1e-12)


@given(counts=confusions())
def test_every_defined_figure_is_a_fraction(counts):
    for convention in CONVENTIONS:
        found = compute_metrics(counts, convention)
        figures = [found.miou, found.macc, found.fwiou, found.pacc, *found.iou, *found.acc]
        assert all(figure is None or (math.isfinite(figure) and 0 <= figure <= 1 + 1e-12) for figure in figures)


def test_the_conventions_are_those_a_protocol_can_name():
    assert get_args(Convention) == CONVENTIONS


@pytest.mark.parametrize(
    ("counts", "convention", "message"),
    [
        (np.zeros((2, 3), int), "detectron2", r"shape \(2, 3\)"),
        (np.zeros((0, 0), int), "detectron2", r"shape \(0, 0\)"),
        (np.zeros((2, 2)), "detectron2", "dtype float64"),
        (np.array([[1, -2], [0, 1]]), "detectron2", "hold -2"),
        (np.eye(2, dtype=int), "mmseg", "no metric convention 'mmseg': take 'detectron2' or 'detectron2-0.6'"),
    ],
)
def test_what_is_not_a_confusion_matrix_is_refused(counts, convention, message):
    with pytest.raises(EvaluationError, match=message):
        compute_metrics(counts, convention)
