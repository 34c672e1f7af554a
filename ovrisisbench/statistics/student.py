"""Student's t distribution for any real degrees of freedom, without scipy.

The distribution function is a regularised incomplete beta function, evaluated
by its continued fraction (Press et al., Numerical Recipes, 3rd ed., section
6.4; DLMF 8.17.22); the quantile is found by bisection.
"""

from __future__ import annotations

import math
from functools import cache

__all__ = ["t_quantile", "t_two_sided"]

_TINY = 1e-300
_ENOUGH = 1e-15
_STEPS = 10_000


def t_two_sided(t: float, freedom: float) -> float:
    """Return the probability that the absolute value of T is at least that of t.

    Args:
        t: any real number, or infinity.
        freedom: degrees of freedom, above 0.

    Example:
        >>> round(t_two_sided(2.0, 10), 6)
        0.073388
    """
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t), t * t / (freedom + t * t))


@cache
def t_quantile(level: float, freedom: float) -> float:
    """Return the t with probability ``level`` between -t and t.

    Args:
        level: above 0, below 1.
        freedom: degrees of freedom, above 0.

    Example:
        >>> round(t_quantile(0.95, 29), 6)
        2.04523
    """
    tail = 1 - level
    low, high = 0.0, 1.0
    while t_two_sided(high, freedom) > tail:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_two_sided(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b); ``rest`` is 1 - x, given apart because it may be tiny."""
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest))
    if x < (a + 1) / (a + b + 2):
        return scale * _fraction(a, b, x) / a
    return 1 - scale * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
