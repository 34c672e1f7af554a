"""Means over a part of the classes, such as those that training has not shown.

The confusion matrix stays whole: the model chose among all classes, and a pixel
that it gave to a class outside the part still counts against its true class.
Only the mean is restricted. So the means over parts that make up the vocabulary,
weighted by how many classes each runs over, give the mean over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.catalog.protocols import Convention
from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.metrics import compute_metrics

__all__ = ["ClassMeans", "class_means", "harmonic_mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMeans:
    """Means over some classes of one data set, as fractions 0..1."""

    miou: float | None
    """None where none of the classes has truth."""
    macc: float | None
    """None where none of the classes has truth."""
    classes_in_miou: int
    """Over how many classes ``miou`` runs, by the convention."""
    classes_in_macc: int
    """Over how many classes ``macc`` runs: those with truth."""
    num_classes: int
    """How many classes were asked for."""


def class_means(confusion: NDArray[np.int64], classes: Sequence[bool], convention: Convention) -> ClassMeans:
    """Average IoU and ACC over some of the classes.

    Args:
        confusion: (K, K) pixel counts of all classes, rows truth.
        classes: K flags, whether a class is averaged over.
        convention: which of them count: those with truth (``detectron2``), or also those without truth that are
            predicted, as zero in mIoU (``detectron2-0.6``).

    Raises:
        EvaluationError: not K flags, or what :func:`compute_metrics` refuses.

    Example:
        >>> counts = np.array([[3, 0, 1], [0, 4, 0], [2, 0, 2]])
        >>> part = class_means(counts, [True, True, False], "detectron2")
        >>> part.miou, part.macc, part.classes_in_miou
        (0.75, 0.875, 2)
    """
    flags = np.asarray(classes, bool)
    found = compute_metrics(confusion, convention)
    if flags.shape != (found.num_classes,):
        raise EvaluationError(f"There are {found.num_classes} classes, but {flags.size} flags: give one for each.")
    counts = np.asarray(confusion, np.int64)
    has_truth = (counts.sum(axis=1) > 0) & flags
    in_miou = has_truth if convention == "detectron2" else (counts.sum(axis=1) + counts.sum(axis=0) > 0) & flags
    iou, acc = (np.asarray(values, np.float64)[has_truth].sum() for values in (found.iou, found.acc))
    defined = bool(has_truth.any())
    return ClassMeans(
        miou=float(iou / int(in_miou.sum())) if defined else None,
        macc=float(acc / int(has_truth.sum())) if defined else None,
        classes_in_miou=int(in_miou.sum()),
        classes_in_macc=int(has_truth.sum()),
        num_classes=int(flags.sum()),
    )


def harmonic_mean(first: float | None, second: float | None) -> float | None:
    """Return 2ab / (a + b), which is high only where both are; 0 where both are 0, None where one is missing.

    Example:
        >>> harmonic_mean(60.0, 30.0), harmonic_mean(0.0, 0.0), harmonic_mean(60.0, None)
        (40.0, 0.0, None)
    """
    if first is None or second is None:
        return None
    return 2 * first * second / (first + second) if first + second else 0.0
