"""Segmentation metrics from integer confusion counts, under a named convention.

Written first, as the corner cases decide which number comes out. "Has truth"
means: at least one pixel that is not ignored has this class as truth.

=====================================  ==========================  ==========================
case                                   ``detectron2``              ``detectron2-0.6``
=====================================  ==========================  ==========================
class without truth, never predicted   in no mean                  in no mean
class without truth, but predicted     in no mean; the pixels      in mIoU as zero, in no
                                       still hurt the true class   other mean
class with truth, never predicted      IoU and ACC 0, in all       the same
predictions on ignored pixels          count nowhere               count nowhere
only ignored pixels, or empty data     all metrics ``None``        all metrics ``None``
K = 1                                  IoU and ACC 1 if any truth  the same
=====================================  ==========================  ==========================

``detectron2`` is what Detectron2's ``SemSegEvaluator`` computes since July
2022; ``detectron2-0.6`` is its last release, whose mIoU divides the same sum by
the number of classes that have truth **or** were predicted. All else is equal in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import EvaluationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.catalog.protocols import Convention

__all__ = ["CONVENTIONS", "Metrics", "compute_metrics"]

CONVENTIONS: tuple[Convention, ...] = ("detectron2", "detectron2-0.6")
"""Which classes a mean can run over, the default first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Figures of one data set, as fractions 0..1 (1 is best); None where undefined."""

    miou: float | None
    """Mean over classes of intersection over union."""
    macc: float | None
    """Mean over classes of the share of the class's pixels that were found."""
    fwiou: float | None
    """IoU weighted by the classes' share of the ground truth."""
    pacc: float | None
    """Share of all pixels that were found."""
    iou: tuple[float | None, ...]
    """One for each class; None without truth, also where ``detectron2-0.6`` averages a zero in."""
    acc: tuple[float | None, ...]
    """One for each class; None without truth."""
    classes_in_miou: int
    """Over how many classes ``miou`` runs."""
    classes_in_macc: int
    """Over how many classes ``macc`` runs."""
    num_classes: int
    """K, the size of the vocabulary."""
    convention: Convention


def compute_metrics(confusion: NDArray[np.integer], convention: Convention = "detectron2") -> Metrics:
    """Divide the counts, once and at the end.

    Args:
        confusion: (K, K) integer counts, rows are truth, columns are predictions.
        convention: one of :data:`CONVENTIONS`, see the table at the top of this module.

    Raises:
        EvaluationError: not a square matrix of counts, or an unknown convention.

    Example:
        A class without truth that is predicted tells the conventions apart:

        >>> import numpy as np
        >>> counts = np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]])
        >>> compute_metrics(counts).miou
        0.875
        >>> old = compute_metrics(counts, "detectron2-0.6")
        >>> old.miou, old.classes_in_miou
        (0.5833333333333334, 3)
        >>> old.macc, old.classes_in_macc
        (0.875, 2)
    """
    counts = _checked_counts(confusion)
    if convention not in CONVENTIONS:
        known = " or ".join(f"'{name}'" for name in CONVENTIONS)
        raise EvaluationError(f"There is no metric convention '{convention}': take {known}.")
    found = counts.diagonal()
    of_truth = counts.sum(axis=1)
    of_prediction = counts.sum(axis=0)
    has_truth = of_truth > 0
    in_miou = has_truth if convention == "detectron2" else (of_truth + of_prediction) > 0

    iou = _ratio(found, of_truth + of_prediction - found, has_truth)
    acc = _ratio(found, of_truth, has_truth)
    pixels = int(of_truth.sum())
    return Metrics(
        miou=_mean(iou[has_truth], int(in_miou.sum())) if pixels else None,
        macc=_mean(acc[has_truth], int(has_truth.sum())) if pixels else None,
        fwiou=float(np.sum(iou[has_truth] * (of_truth[has_truth] / pixels))) if pixels else None,
        pacc=int(found.sum()) / pixels if pixels else None,
        iou=_values(iou),
        acc=_values(acc),
        classes_in_miou=int(in_miou.sum()),
        classes_in_macc=int(has_truth.sum()),
        num_classes=len(counts),
        convention=convention,
    )


def _checked_counts(confusion: NDArray[np.integer]) -> NDArray[np.int64]:
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.shape[0] == 0:
        raise EvaluationError(f"The confusion counts have shape {counts.shape}: give a (K, K) matrix.")
    if not np.issubdtype(counts.dtype, np.integer):
        raise EvaluationError(
            f"The confusion counts have dtype {counts.dtype}: give integers, metrics divide them only once."
        )
    if counts.min() < 0:
        raise EvaluationError(f"The confusion counts hold {counts.min()}: a count cannot be negative.")
    return counts.astype(np.int64)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Divide where defined, NaN elsewhere."""
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=where)
    return ratio


def _mean(values: NDArray[np.float64], classes: int) -> float:
    """Average over ``classes``, of which those without a value count as zero."""
    return float(np.sum(values) / classes)


def _values(per_class: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in per_class.tolist())
