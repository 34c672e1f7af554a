"""The difference of one figure between two models on the same images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import EvaluationError
from ovrisisbench.statistics.intervals import Interval, interval_of, p_value
from ovrisisbench.statistics.student import t_quantile

if TYPE_CHECKING:
    from ovrisisbench.statistics.spread import Spread

__all__ = ["POWER", "Difference", "check_power", "difference_of", "least_detectable", "rank_shares"]

POWER = 0.8
"""Probability with which a least detectable difference is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of A and of B, as fractions."""

    a: float
    b: float
    difference: float
    """a - b."""
    interval: Interval | None
    """Of the difference; this and what follows are None where there are too few scenes."""
    wins: float | None
    """Share of the resamples in which A is above B."""
    ties: float | None
    """Share of the resamples in which both are equal."""
    p: float | None
    """Two-sided, not corrected: 1 - level of the interval that just ends at zero."""
    least_detectable: float | None
    """Smallest true difference that so many scenes of this kind would show, with the power asked for."""


def difference_of(
    a: float, b: float, spread: Spread | None, column: int, *, seed: int, level: float, power: float, thin: int = 0
) -> Difference | None:
    """Return the difference in one column, or None where a figure is undefined.

    Args:
        a: figure of A.
        b: figure of B.
        spread: of a - b, resampled together; None where there are too few scenes.
        column: of the spread.
        seed: of the draws.
        level: of the interval.
        power: of the least detectable difference.
        thin: see :class:`Interval`.
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    interval = (
        None if spread is None else interval_of(spread, column, seed=seed, level=level, thin=thin, bounds=(-1.0, 1.0))
    )
    if spread is None or interval is None:
        return Difference(
            a=a, b=b, difference=a - b, interval=None, wins=None, ties=None, p=None, least_detectable=None
        )
    replicates = spread.replicates[:, column]
    estimate, error = float(spread.estimate[column]), float(spread.error[column])
    freedom = float(spread.freedom[column])
    return Difference(
        a=a,
        b=b,
        difference=estimate,
        interval=interval,
        wins=float((replicates > 0).mean()),
        ties=float((replicates == 0).mean()),
        p=p_value(spread, column),
        least_detectable=least_detectable(error, freedom, level=level, power=power),
    )


def least_detectable(error: float, freedom: float, *, level: float, power: float) -> float:
    """Return the true difference that a two-sided t test finds with probability ``power``.

    It is (t(level) + t(power)) * error: the difference must lie so far above the threshold that chance
    brings it back below in the share 1 - power only (Bloom, Evaluation Review 19, 1995).

    Args:
        error: standard error of the paired difference.
        freedom: its degrees of freedom.
        level: 1 - the level of significance, such as 0.95.
        power: 0.5 or more, below 1.

    Example:
        >>> round(least_detectable(1.0, 1e6, level=0.95, power=0.8), 2)
        2.8
    """
    chance = t_quantile(2 * power - 1, freedom) if power > 0.5 else 0.0
    return (t_quantile(level, freedom) + chance) * error


def check_power(power: float) -> None:
    """Refuse a power for which there is no least detectable difference.

    Raises:
        EvaluationError: below 0.5, or not below 1.
    """
    if not 0.5 <= power < 1:
        raise EvaluationError(f"The power is {power}: give a number from 0.5 to below 1, such as 0.8.")


def rank_shares(values: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Return how often each model has each rank.

    Args:
        values: (B, M) a figure of M models in B resamples; higher is better.

    Returns:
        M rows of M shares, which sum to 1: rank 1 first. Equal figures share the better rank.
    """
    count = values.shape[1]
    ranks = (values[:, None, :] > values[:, :, None]).sum(axis=2)
    return tuple(tuple(float((ranks[:, model] == rank).mean()) for rank in range(count)) for model in range(count))
