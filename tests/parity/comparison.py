"""What a parity case compares, and how far apart the two sides are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.parity.case import ParityCase

__all__ = ["LEAST_AGREEMENT", "Comparison", "compared", "compared_labels"]

LEAST_AGREEMENT = 0.999
"""Share of pixels that must agree where a case does not mark those that are sure."""


@dataclass(frozen=True)
class Comparison:
    """One recorded tensor against ours."""

    name: str
    worst: float
    """Largest absolute difference; of label maps the number, or share, of differing pixels."""
    limit: float
    remark: str = ""

    @property
    def holds(self) -> bool:
        """False for NaN too."""
        return self.worst <= self.limit

    def __str__(self) -> str:
        return f"{self.name}: {self.worst:.2g} (limit {self.limit:.2g}){self.remark}"


def compared(case: ParityCase, name: str, value: NDArray[Any], limit: float) -> Comparison:
    """Compare a full tensor with what was recorded of it.

    Args:
        case: the case.
        name: of the recorded tensor.
        value: ours, with the axes that were recorded.
        limit: largest absolute difference.
    """
    reference = case.recorded[name]
    value = case.cut(name, value)
    if value.shape != reference.shape:
        raise AssertionError(f"{name}: {value.shape}, recorded {reference.shape}")
    worst = float(np.abs(value.astype(np.float64) - reference.astype(np.float64)).max(initial=0.0))
    return Comparison(name, worst, limit)


def compared_labels(
    case: ParityCase, name: str, labels: NDArray[np.uint8], *, sure: str | None = None, least: float = LEAST_AGREEMENT
) -> Comparison:
    """Compare a label map at every pixel that is marked sure, or at least at a share of all.

    Args:
        case: the case.
        name: of the recorded label map.
        labels: ours.
        sure: name of the recorded mask of sure pixels, if there is one.
        least: share of pixels that must agree where there is none.
    """
    same = labels == case.recorded[name]
    if sure is None or sure not in case.recorded:
        return Comparison(name, float(1 - same.mean()), 1 - least, remark=f", {int((~same).sum())} pixels")
    certain = case.recorded[sure] > 0
    wrong, others = int((~same & certain).sum()), int((~same & ~certain).sum())
    return Comparison(name, wrong, 0, remark=f" of {int(certain.sum())} sure pixels, {others} others")
