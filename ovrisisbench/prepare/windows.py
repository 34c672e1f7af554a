"""Windows: where a source image is cut, and which rectangles of it have to be stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ovrisisbench.catalog.cards import WindowRule

__all__ = ["Box", "around", "enclosing_boxes", "row_blocks", "window_boxes"]

_BLOCK_PIXELS: Final = 2**20


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle of pixels, ends exclusive."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.y1 - self.y0

    @property
    def width(self) -> int:
        """Columns."""
        return self.x1 - self.x0

    @property
    def suffix(self) -> str:
        """``y0_y1_x0_x1``, rows first, as iSAID's development kit writes it into file names."""
        return f"{self.y0}_{self.y1}_{self.x0}_{self.x1}"

    def overlaps(self, other: Box) -> bool:
        """Whether the two share a pixel."""
        return self.y0 < other.y1 and other.y0 < self.y1 and self.x0 < other.x1 and other.x0 < self.x1

    def within(self, origin: Box) -> Box:
        """Return the same rectangle in coordinates that start at the upper left of ``origin``."""
        return Box(self.y0 - origin.y0, self.y1 - origin.y0, self.x0 - origin.x0, self.x1 - origin.x0)


def window_boxes(height: int, width: int, rule: WindowRule | None) -> list[Box]:
    """Return the windows of one source image, row by row.

    A side shorter than the window gives one window of that side's own length
    if the last window is clamped, and none if it is dropped. Windows that fall
    on each other after clamping count once.

    Args:
        height: of the source, pixels.
        width: of the source, pixels.
        rule: size, stride and what becomes of the last window; None for the whole image.

    Example:
        >>> rule = WindowRule(size=256, stride=206, last="clamped", evidence="experiment")
        >>> [box.suffix for box in window_boxes(256, 500, rule)]
        ['0_256_0_256', '0_256_206_462', '0_256_244_500']
    """
    if rule is None:
        return [Box(0, height, 0, width)]
    return [Box(y0, y1, x0, x1) for y0, y1 in _intervals(height, rule) for x0, x1 in _intervals(width, rule)]


def enclosing_boxes(boxes: Iterable[Box]) -> list[Box]:
    """Return disjoint rectangles that together hold every given one.

    Overlapping rectangles are merged into the one around both, until none
    overlap. A scene of which few windows are kept is stored as these, not
    whole: a third of the bytes for iSAID-5i.

    Example:
        >>> enclosing_boxes([Box(0, 4, 0, 4), Box(3, 7, 3, 7), Box(20, 24, 0, 4)])
        [Box(y0=0, y1=7, x0=0, x1=7), Box(y0=20, y1=24, x0=0, x1=4)]
    """
    merged: list[Box] = []
    for box in sorted(boxes):
        grown = box
        while touching := [other for other in merged if other.overlaps(grown)]:
            merged = [other for other in merged if other not in touching]
            grown = around([grown, *touching])
        merged.append(grown)
    return sorted(merged)


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest rectangle that holds every given one."""
    return Box(
        min(box.y0 for box in boxes),
        max(box.y1 for box in boxes),
        min(box.x0 for box in boxes),
        max(box.x1 for box in boxes),
    )


def row_blocks(box: Box) -> Iterator[Box]:
    """Cut a rectangle into blocks of whole rows that are small enough to convert at a time (about 16 MiB of memory)."""
    rows = max(1, _BLOCK_PIXELS // box.width)
    for y0 in range(box.y0, box.y1, rows):
        yield Box(y0, min(y0 + rows, box.y1), box.x0, box.x1)


def _intervals(length: int, rule: WindowRule) -> list[tuple[int, int]]:
    if rule.last == "dropped":
        return [(start, start + rule.size) for start in range(0, length - rule.size + 1, rule.stride)]
    size = min(rule.size, length)
    starts = sorted({min(start, length - size) for start in range(0, length, rule.stride)})
    return [(start, start + size) for start in starts]
