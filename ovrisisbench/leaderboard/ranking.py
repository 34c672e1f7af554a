"""Best and second best of one column of one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

__all__ = ["Rank", "ranks"]

Rank = Literal["best", "second", ""]


def ranks(values: Sequence[float | None]) -> list[Rank]:
    """Mark the highest and the second-highest value; equal values share a mark.

    Fewer than two values are no comparison and get no mark.

    Args:
        values: unrounded; None for what does not compete.

    Example:
        >>> ranks([1.0, 3.0, None, 3.0, 2.0, 0.0])
        ['', 'best', '', 'best', 'second', '']
    """
    competing = [value for value in values if value is not None]
    if len(competing) < 2:
        return [""] * len(values)
    order = sorted(set(competing), reverse=True)
    # A shared first place takes the second one too in sports; the field's tables underline the next value.
    marks: dict[float, Rank] = dict(zip(order, ("best", "second"), strict=False))
    return ["" if value is None else marks.get(value, "") for value in values]
