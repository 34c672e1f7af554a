"""Percentages: made from fractions, averaged and rounded as one would by hand.

Decimal arithmetic keeps printed figures exact, so that a mean of 36.755 is
shown as 36.76 on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["mean_of", "percent", "percent_text"]


def percent(fraction: float) -> float:
    """Return a fraction as a percentage.

    Example:
        >>> percent(0.07), 0.07 * 100
        (7.0, 7.000000000000001)
    """
    return float(Decimal(repr(fraction)) * 100)


def mean_of(values: Sequence[float]) -> float:
    """Return the unweighted mean of at least one value, unrounded.

    Example:
        >>> mean_of([0.1, 0.2])
        0.15
    """
    return float(sum((Decimal(repr(value)) for value in values), Decimal(0)) / len(values))


def percent_text(value: float, digits: int = 2) -> str:
    """Return a percentage with fixed digits, halves rounded up.

    Example:
        >>> percent_text(36.755), percent_text(100.0), percent_text(0.125, 4)
        ('36.76', '100.00', '0.1250')
    """
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
