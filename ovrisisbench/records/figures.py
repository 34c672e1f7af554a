"""The figures of a record, and the check that they are those of its confusion matrix."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.catalog.protocols import Convention
from ovrisisbench.evaluate.metrics import compute_metrics
from ovrisisbench.records.fields import Count, Fraction, RecordModel

__all__ = ["MetricValues", "check_figures", "metrics_of"]

_TOLERANCE: Final = 1e-9  # the same integers give the same figure up to the order of summation


class MetricValues(RecordModel):
    """The figures of one confusion matrix, as fractions; None where undefined."""

    convention: Convention
    miou: Fraction | None
    macc: Fraction | None
    fwiou: Fraction | None
    pacc: Fraction | None
    iou: tuple[Fraction | None, ...]
    """By class, in label order."""
    acc: tuple[Fraction | None, ...]
    classes_in_miou: Count
    """Classes that the mean IoU runs over."""
    classes_in_macc: Count
    num_classes: Count


def metrics_of(confusion: NDArray[np.int64], convention: Convention) -> MetricValues:
    """Compute the figures of a confusion matrix for a record.

    Args:
        confusion: (K, K) int64 pixel counts, rows truth.
        convention: which classes a mean runs over.
    """
    return MetricValues(**asdict(compute_metrics(confusion, convention)))


def check_figures(stated: MetricValues, actual: MetricValues) -> None:
    """Compare the figures in a file with those of its confusion matrix.

    Raises:
        ValueError: names the first figure that differs.
    """
    for field in MetricValues.model_fields:
        said, given = getattr(stated, field), getattr(actual, field)
        if isinstance(given, tuple):
            if len(said) != len(given):
                raise ValueError(f"metrics.{field} has {len(said)} values, but its confusion has {len(given)} classes")
            pairs = [(f"{field}.{index}", *pair) for index, pair in enumerate(zip(said, given, strict=True))]
        else:
            pairs = [(field, said, given)]
        for name, one, other in pairs:
            if not _same(one, other):
                raise ValueError(
                    f"metrics.{name} says {_short(one)} but its confusion gives {_short(other)}: the record was "
                    "edited by hand; restore the file, or evaluate again"
                )


def _same(stated: object, actual: object) -> bool:
    if isinstance(stated, float) and isinstance(actual, float):
        return abs(stated - actual) <= _TOLERANCE
    return stated == actual


def _short(value: object) -> str:
    if value is None:
        return "undefined"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
