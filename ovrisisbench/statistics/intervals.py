"""Intervals of figures and p values of differences, by the bootstrap over scenes.

The interval is the percentile interval at calibrated positions: the quantiles
of the resamples at Phi(-c) and Phi(c), where c = t * s_j / s_b; t is Student's
quantile, s_j the standard error by the jackknife and s_b that of the resamples.
With s_j = s_b * sqrt(S / (S - 1)) this is Hesterberg's expanded percentile
interval (What Teachers Should Know About the Bootstrap, 2014, section 5.4).
The p value turns this round: it is 1 - level of the interval that ends at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import EvaluationError
from ovrisisbench.statistics.figures import FIGURES, Figure, Measure
from ovrisisbench.statistics.resampling import RESAMPLES, SEED
from ovrisisbench.statistics.scenes import scene_sums
from ovrisisbench.statistics.spread import Spread, resampled
from ovrisisbench.statistics.student import t_quantile, t_two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records.counts import CountsTable
    from ovrisisbench.statistics.scenes import SceneSums

__all__ = [
    "LEVEL",
    "MIN_SCENES",
    "Interval",
    "check_level",
    "figure_intervals",
    "interval_of",
    "mean_intervals",
    "p_value",
    "thin_classes",
]

LEVEL = 0.95
MIN_SCENES = 7
"""With fewer scenes there is no interval: they do not tell how much scenes differ."""

_TAIL_RESAMPLES = 5
"""An interval needs about as many resamples outside each end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a figure would lie with other scenes of the same kind, as fractions."""

    low: float
    high: float
    level: float
    """Such as 0.95."""
    standard_error: float
    """By the jackknife."""
    resamples: int
    seed: int
    scenes: int
    thin_classes: int = 0
    """Averaged classes with truth in fewer than :data:`MIN_SCENES` scenes: what they add to the interval is a guess."""


def figure_intervals(
    counts: CountsTable,
    *,
    convention: Convention = "detectron2",
    classes: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[Figure, Interval | None]:
    """Return the interval of each figure of one data set.

    Args:
        counts: of its images; scenes without counted pixels are left out.
        convention: as in :func:`ovrisisbench.evaluate.metrics.compute_metrics`.
        classes: indices of the classes to average over; all if None.
        resamples: of scenes.
        seed: of the draws; equal seeds give equal intervals.
        level: how often intervals shall hold the true figure.

    Returns:
        ``miou``, ``macc``, ``fwiou``, ``pacc``; None where there are fewer than :data:`MIN_SCENES` scenes
        or the figure is undefined.

    Raises:
        EvaluationError: a level, seed, number, class or convention that cannot be.
    """
    return mean_intervals(
        [counts], convention=convention, classes=[classes], resamples=resamples, seed=seed, level=level
    )


def mean_intervals(
    counts: Sequence[CountsTable],
    *,
    convention: Convention = "detectron2",
    classes: Sequence[Sequence[int] | None] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[Figure, Interval | None]:
    """Return the interval of each figure's unweighted mean over data sets, each resampled on its own.

    Args:
        counts: one table for each data set; their order selects the draws.
        convention: of the metrics.
        classes: for each data set the classes to average over, or None for all.
        resamples: of the scenes of each data set.
        seed: of the draws.
        level: how often intervals shall hold the true mean.

    Returns:
        As :func:`figure_intervals`; None also if a single data set has too few scenes.

    Raises:
        EvaluationError: as :func:`figure_intervals`, or no data set.
    """
    check_level(level, resamples)
    if not counts:
        raise EvaluationError("There is no data set to take a mean over: give the counts of at least one.")
    chosen = classes if classes is not None else [None] * len(counts)
    parts, thin = [], 0
    for stream, (table, some) in enumerate(zip(counts, chosen, strict=True)):
        sums = scene_sums(table)
        measure = Measure.of(sums.total, convention, some)
        if len(sums) < MIN_SCENES:
            return dict.fromkeys(FIGURES)
        thin += thin_classes(sums, measure)
        (part,) = resampled([(sums, measure)], resamples=resamples, seed=seed, stream=stream)
        parts.append(part)
    spread = Spread.of(parts)
    return {
        figure: interval_of(spread, column, seed=seed, level=level, thin=thin) for column, figure in enumerate(FIGURES)
    }


def thin_classes(sums: SceneSums, measure: Measure) -> int:
    """Return how many of the averaged classes have truth in fewer than :data:`MIN_SCENES` scenes."""
    return int((measure.truth_classes & (sums.scenes_with_truth < MIN_SCENES)).sum())


def interval_of(
    spread: Spread,
    column: int,
    *,
    seed: int,
    level: float,
    thin: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval | None:
    """Return the interval of one column, or None where the figure is undefined.

    Args:
        spread: of C figures.
        column: which of them.
        seed: of the draws, to be told.
        level: of the interval.
        thin: see :class:`Interval`.
        bounds: between which the figure must lie.
    """
    estimate, error = float(spread.estimate[column]), float(spread.error[column])
    replicates = spread.replicates[:, column]
    if not np.isfinite(estimate) or not np.isfinite(error):
        return None
    own_error = float(replicates.std(ddof=1)) if len(replicates) > 1 else 0.0
    low = high = estimate
    lowest, highest = bounds
    if own_error > 0:
        position = t_quantile(level, float(spread.freedom[column])) * error / own_error
        low, high = (_at(replicates, estimate, sign * position) for sign in (-1, 1))
    return Interval(
        # A skewed handful of resamples shall not shut out the figure itself.
        low=max(lowest, min(low, estimate)),
        high=min(highest, max(high, estimate)),
        level=level,
        standard_error=error,
        resamples=len(replicates),
        seed=seed,
        scenes=spread.scenes,
        thin_classes=thin,
    )


def p_value(spread: Spread, column: int) -> float | None:
    """Return the two-sided p value of a difference, or None where it is undefined.

    It is at most 1 - level exactly where the interval of that level does not hold zero.

    Args:
        spread: of differences.
        column: which of them.
    """
    estimate, error = float(spread.estimate[column]), float(spread.error[column])
    replicates = spread.replicates[:, column]
    if not np.isfinite(estimate) or not np.isfinite(error):
        return None
    own_error = float(replicates.std(ddof=1)) if len(replicates) > 1 else 0.0
    if estimate == 0:
        return 1.0
    if error == 0 or own_error == 0:
        return 0.0
    score = _score_of_zero(np.sort(replicates if estimate > 0 else -replicates), abs(estimate))
    return t_two_sided(score * own_error / error, float(spread.freedom[column]))


def _furthest(resamples: int) -> float:
    """Return the normal score up to which so many resamples tell the shape of a distribution."""
    return NormalDist().inv_cdf(max(0.5, 1 - _TAIL_RESAMPLES / resamples))


def _at(replicates: NDArray[np.float64], estimate: float, score: float) -> float:
    """Return the quantile at a normal score; beyond the furthest one extended in a straight line."""
    furthest = _furthest(len(replicates))
    inside = min(max(score, -furthest), furthest)
    quantile = float(np.quantile(replicates, NormalDist().cdf(inside)))
    return quantile if inside == score else estimate + (quantile - estimate) * score / inside


def _score_of_zero(ascending: NDArray[np.float64], estimate: float) -> float:
    """Return how far below a positive estimate zero lies, as a normal score; the inverse of :func:`_at`."""
    furthest = _furthest(len(ascending))
    lowest = float(np.quantile(ascending, NormalDist().cdf(-furthest)))
    if lowest >= estimate:
        return furthest
    if lowest > 0:
        return furthest * estimate / (estimate - lowest)
    share = float(np.interp(0.0, ascending, np.linspace(0, 1, len(ascending))))
    return max(0.0, -NormalDist().inv_cdf(share)) if 0 < share < 1 else furthest * (share <= 0)


def check_level(level: float, resamples: int) -> None:
    """Refuse a level that these resamples cannot give.

    Raises:
        EvaluationError: outside 0..1, or so near 1 that hardly a resample lies outside.
    """
    if not 0 < level < 1:
        raise EvaluationError(f"The level of an interval is {level}: give a number between 0 and 1, such as 0.95.")
    needed = int(np.ceil(2 * _TAIL_RESAMPLES / (1 - level)))
    if resamples < needed:
        raise EvaluationError(f"An interval of level {level} needs at least {needed} resamples, not {resamples}.")
