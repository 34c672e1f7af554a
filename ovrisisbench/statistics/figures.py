"""Figures of many resamples at once, by the definitions of :mod:`ovrisisbench.evaluate.metrics`.

Which classes a mean runs over is settled once, by the whole sample, as in the
figure that is reported. A class that a resample happens to miss keeps the IoU
and ACC of the whole sample there: if it dropped out, the mean of the resample
would be one over other classes, and its spread that of the choice of classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.metrics import CONVENTIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.catalog.protocols import Convention

__all__ = ["FIGURES", "Figure", "Measure"]

Figure = Literal["miou", "macc", "fwiou", "pacc"]
FIGURES: tuple[Figure, ...] = ("miou", "macc", "fwiou", "pacc")
"""What intervals are made of, in the order in which tables show them."""


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """Computes figures of sums, over the classes that the whole sample settles."""

    iou_classes: NDArray[np.bool_]
    """(K,) classes that mIoU runs over."""
    truth_classes: NDArray[np.bool_]
    """(K,) classes with truth: mACC runs over them, and only they have a figure of their own."""
    iou: NDArray[np.float64]
    """(K,) of the whole sample; 0 where not in ``truth_classes``."""
    acc: NDArray[np.float64]

    @classmethod
    def of(cls, total: NDArray[np.float64], convention: Convention, classes: Sequence[int] | None = None) -> Measure:
        """Settle the classes.

        Args:
            total: (3, K) truth, prediction, found of the whole sample.
            convention: one of :data:`ovrisisbench.evaluate.metrics.CONVENTIONS`.
            classes: indices of the classes to average over; all if None. Pixels of the others still count as
                wrong predictions.

        Raises:
            EvaluationError: an unknown convention or class.
        """
        if convention not in CONVENTIONS:
            known = " or ".join(f"'{name}'" for name in CONVENTIONS)
            raise EvaluationError(f"There is no metric convention '{convention}': take {known}.")
        size = total.shape[-1]
        wanted = np.zeros(size, np.bool_)
        if classes is None:
            wanted[:] = True
        elif len(classes) == 0 or min(classes) < 0 or max(classes) >= size:
            raise EvaluationError(
                f"The classes {list(classes)} are not among 0..{size - 1}: name at least one of them."
            )
        else:
            wanted[list(classes)] = True
        truth, prediction, found = total
        has_truth = wanted & (truth > 0)
        in_miou = has_truth if convention == "detectron2" else wanted & (truth + prediction > 0)
        if not has_truth.any():
            in_miou = has_truth
        zeros = np.zeros(size)
        return cls(
            iou_classes=in_miou,
            truth_classes=has_truth,
            iou=np.divide(found, truth + prediction - found, out=zeros.copy(), where=has_truth),
            acc=np.divide(found, truth, out=zeros.copy(), where=has_truth),
        )

    def by_class(self, sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return IoU and ACC, each (..., K); 0 for classes without truth in the whole sample.

        Args:
            sums: (..., 3, K).
        """
        truth, prediction, found = sums[..., 0, :], sums[..., 1, :], sums[..., 2, :]
        there = self.truth_classes & (truth > 0)
        iou = np.broadcast_to(self.iou, truth.shape).copy()
        acc = np.broadcast_to(self.acc, truth.shape).copy()
        np.divide(found, truth + prediction - found, out=iou, where=there)
        np.divide(found, truth, out=acc, where=there)
        return iou, acc

    def figures(self, sums: NDArray[np.float64]) -> dict[Figure, NDArray[np.float64]]:
        """Return the means, each (...), as fractions; NaN where undefined.

        Args:
            sums: (..., 3, K).
        """
        iou, acc = self.by_class(sums)
        return self.means(sums, iou, acc)

    def means(
        self, sums: NDArray[np.float64], iou: NDArray[np.float64], acc: NDArray[np.float64]
    ) -> dict[Figure, NDArray[np.float64]]:
        """Return what :meth:`figures` does, from figures by class that are there already."""
        truth = np.where(self.truth_classes, sums[..., 0, :], 0.0)
        pixels = truth.sum(axis=-1)
        found = np.where(self.truth_classes, sums[..., 2, :], 0.0).sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "miou": iou.sum(axis=-1) / self.iou_classes.sum(),
                "macc": acc.sum(axis=-1) / self.truth_classes.sum(),
                "fwiou": (iou * truth).sum(axis=-1) / pixels,
                "pacc": found / pixels,
            }
