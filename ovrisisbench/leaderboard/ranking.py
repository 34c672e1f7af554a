"""Best and second best of one column of one block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ovrisisbench.leaderboard.model import CellKey, Rank, Row

__all__ = ["Rank", "TieRule", "Ties", "ranks"]

TieRule = Literal["exact", "interval"]
"""Whether rows share a mark only with equal figures, or also where their difference may be chance."""

Ties = Callable[[Sequence[Row], CellKey], Callable[[int, int], bool]]
"""(rows of a block, column) -> (index, index) -> whether two rows cannot be told apart."""


def ranks(values: Sequence[float | None], tied: Callable[[int, int], bool] | None = None) -> list[Rank]:
    """Mark the highest and the second-highest value; equal values share a mark.

    Fewer than two values are no comparison and get no mark.

    Args:
        values: unrounded; None for what does not compete.
        tied: tells of two indices whether their values share a mark although they differ: every value tied with the
            highest is best, and every one tied with the highest of the rest is second.

    Example:
        >>> ranks([1.0, 3.0, None, 3.0, 2.0, 0.0])
        ['', 'best', '', 'best', 'second', '']
        >>> ranks([3.0, 2.9, 2.0, 1.9], lambda one, other: {one, other} in ({0, 1}, {2, 3}))
        ['best', 'best', 'second', 'second']
    """
    left = {index: value for index, value in enumerate(values) if value is not None}
    marks: list[Rank] = [""] * len(values)
    if len(left) < 2:
        return marks
    places: tuple[Rank, ...] = ("best", "second")
    # A shared first place takes the second one too in sports; the field's tables underline the next value.
    for place in places:
        if not left:
            break
        top = max(left, key=lambda index: left[index])
        sharing = [
            index for index, value in left.items() if value == left[top] or (tied is not None and tied(top, index))
        ]
        for index in sharing:
            marks[index] = place
            del left[index]
    return marks
