"""Correction of p values where several comparisons are made at once."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["holm"]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p values adjusted by Holm's step-down method, in the order given.

    To call those at or below alpha significant keeps the probability of even one false finding below alpha,
    whatever the comparisons have in common (Holm, Scandinavian Journal of Statistics 6, 1979).

    Args:
        p_values: of one family of comparisons; None where there is none, which does not count.

    Example:
        >>> holm([0.01, 0.04, None, 0.03])
        [0.03, 0.06, None, 0.06]
    """
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = highest
    return adjusted
