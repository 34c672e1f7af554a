"""Where a picture is cut into windows: equal sizes, evenly spread, each sharing an overlap with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.errors import EvaluationError

__all__ = ["Axis", "spread"]


@dataclass(frozen=True, slots=True)
class Axis:
    """Windows along one side of a picture."""

    length: int
    """Pixels."""
    size: int
    """Pixels of each window; the whole side where that is shorter than a window."""
    starts: tuple[int, ...]
    """First pixel of each window, rising; the last window ends with the side."""


def spread(length: int, size: int, overlap: int) -> Axis:
    """Spread the fewest windows over one side, with at least ``overlap`` pixels shared by neighbours.

    Args:
        length: of the side, pixels.
        size: of a window, pixels.
        overlap: least overlap, 0..size-1 pixels.

    Raises:
        EvaluationError: windows that are empty or overlap wholly.

    Example:
        >>> spread(1000, 512, 128).starts, spread(300, 512, 128)
        ((0, 244, 488), Axis(length=300, size=300, starts=(0,)))
    """
    if size < 1 or not 0 <= overlap < size:
        raise EvaluationError(f"Windows of {size} pixels cannot overlap by {overlap}; give 0 to {max(size - 1, 0)}.")
    if length <= size:
        return Axis(length, length, (0,))
    steps = -(-(length - size) // (size - overlap))
    return Axis(length, size, tuple(round(step * (length - size) / steps) for step in range(steps + 1)))
