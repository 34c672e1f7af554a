"""How far figures would move with other scenes: resamples, and each scene left out in turn.

Two sources, since each is good at something else. The resamples give the shape
of the distribution. The jackknife gives its width: of rare classes the
bootstrap makes too little, because scenes that hold most of a class are drawn
twice as often as they are missed. See ``docs/statistics.md``, which has the simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.statistics.figures import FIGURES
from ovrisisbench.statistics.resampling import RESAMPLES, SEED, weight_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.statistics.figures import Measure
    from ovrisisbench.statistics.scenes import SceneSums

__all__ = ["Resampled", "Spread", "figure_columns", "resampled"]

_FEWEST_DEGREES = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """C figures of one model on the S scenes of one data set, as fractions; NaN where undefined."""

    estimate: NDArray[np.float64]
    """(C,) of all scenes: :data:`FIGURES`, and after them IoU and ACC by class where asked for."""
    replicates: NDArray[np.float64]
    """(B, C) of the resamples."""
    left_out: NDArray[np.float64]
    """(S, C) of all scenes but one."""

    @property
    def scenes(self) -> int:
        """S."""
        return len(self.left_out)

    def __sub__(self, other: Resampled) -> Resampled:
        return Resampled(
            estimate=self.estimate - other.estimate,
            replicates=self.replicates - other.replicates,
            left_out=self.left_out - other.left_out,
        )

    def columns(self, count: int) -> Resampled:
        """Return the first ``count`` figures alone."""
        return Resampled(self.estimate[:count], self.replicates[:, :count], self.left_out[:, :count])

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the jackknife's standard errors, (C,), and their degrees of freedom, (C,).

        The standard error is sqrt((S - 1) / S * sum(u**2)), where u is how far each scene left out is from the
        mean of all (Efron and Tibshirani, An Introduction to the Bootstrap, equation 11.5). A variance that rests on
        few scenes is itself badly known: its degrees of freedom are those of the scaled chi-squared distribution
        with its mean and variance, 2 S / (k - (S - 3) / (S - 1)) for kurtosis k of the u, and at most S - 1. For
        normal u they are S - 1.
        """
        count = self.scenes
        if count < 2:
            unknown = np.full(self.estimate.shape, np.nan)
            return unknown, unknown.copy()
        away = self.left_out - self.left_out.mean(axis=0)
        squares = (away**2).sum(axis=0)
        # Differences of equal figures can leave a rounding error in place of zero.
        away[:, squares < count * 1e-30] = 0.0
        squares = (away**2).sum(axis=0)
        fourth = count * (away**4).sum(axis=0)
        kurtosis = np.divide(fourth, squares**2, out=np.full_like(squares, 3.0), where=squares > 0)
        freedom = 2 * count / np.maximum(kurtosis - (count - 3) / (count - 1), 2 * count / (count - 1))
        return np.sqrt((count - 1) / count * squares), np.maximum(freedom, _FEWEST_DEGREES)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """C figures, or their means over data sets, and how well they are known."""

    estimate: NDArray[np.float64]
    """(C,)."""
    replicates: NDArray[np.float64]
    """(B, C)."""
    error: NDArray[np.float64]
    """(C,) standard error by the jackknife."""
    freedom: NDArray[np.float64]
    """(C,) degrees of freedom of the error."""
    scenes: int
    """In all data sets together."""

    @classmethod
    def of(cls, parts: Sequence[Resampled]) -> Spread:
        """Take the unweighted mean over data sets, which must have been resampled by different streams.

        Variances of independent data sets add; their degrees of freedom by Welch and Satterthwaite.
        """
        count = len(parts)
        known = [part.errors() for part in parts]
        variances = np.stack([error**2 for error, _ in known]) / count**2
        freedoms = np.stack([freedom for _, freedom in known])
        variance = variances.sum(axis=0)
        split = (variances**2 / freedoms).sum(axis=0)
        most = freedoms.sum(axis=0)
        return cls(
            estimate=np.sum([part.estimate for part in parts], axis=0) / count,
            replicates=np.sum([part.replicates for part in parts], axis=0) / count,
            error=np.sqrt(variance),
            freedom=np.divide(variance**2, split, out=most, where=split > 0),
            scenes=sum(part.scenes for part in parts),
        )


def resampled(
    models: Sequence[tuple[SceneSums, Measure]],
    *,
    by_class: bool = False,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    stream: int = 0,
) -> list[Resampled]:
    """Resample the scenes of one data set, for all models alike.

    Args:
        models: sums of the same S scenes with what is computed of them.
        by_class: whether to add IoU and ACC of each class.
        resamples: B.
        seed: of the draws.
        stream: different for each data set of a mean.
    """
    count = len(models[0][0])
    # Equal scenes with equal seeds give equal draws: pairing needs no more than one pass for all models.
    stacked = np.concatenate([sums.sums.reshape(count, -1) for sums, _ in models], axis=1)
    chunks = weight_chunks(count, resamples=resamples, seed=seed, stream=stream)
    drawn = np.concatenate([weights @ stacked for weights in chunks])
    width = stacked.shape[1] // len(models)
    results = []
    for index, (sums, measure) in enumerate(models):
        own = drawn[:, index * width : (index + 1) * width].reshape(resamples, *sums.sums.shape[1:])
        total = sums.total
        results.append(
            Resampled(
                estimate=figure_columns(measure, total, by_class),
                replicates=figure_columns(measure, own, by_class),
                left_out=figure_columns(measure, total - sums.sums, by_class),
            )
        )
    return results


def figure_columns(measure: Measure, sums: NDArray[np.float64], by_class: bool) -> NDArray[np.float64]:
    """Return the means in the order of :data:`FIGURES` and, if asked, IoU and ACC by class; NaN where undefined.

    Args:
        measure: which classes count.
        sums: (..., 3, K).
        by_class: whether 2 K columns follow the means.

    Returns:
        (..., C).
    """
    iou, acc = measure.by_class(sums)
    means = measure.means(sums, iou, acc)
    columns = np.stack([means[figure] for figure in FIGURES], axis=-1)
    if not by_class:
        return columns
    undefined = ~measure.truth_classes
    iou[..., undefined] = np.nan
    acc[..., undefined] = np.nan
    return np.concatenate([columns, iou, acc], axis=-1)
