"""Detectron2's rule for the size of a resized picture, which training and testing share."""

from __future__ import annotations

__all__ = ["shortest_edge_size"]


def shortest_edge_size(height: int, width: int, *, short: int, long: int) -> tuple[int, int]:
    """Return the height and width with the shorter side ``short``, but no side above ``long``; pixels.

    Example:
        >>> shortest_edge_size(512, 512, short=640, long=2560), shortest_edge_size(240, 425, short=640, long=2560)
        ((640, 640), (640, 1133))
        >>> shortest_edge_size(500, 100, short=640, long=2560)
        (2560, 512)
    """
    scale = short / min(height, width)
    new = [float(short), scale * width] if height < width else [scale * height, float(short)]
    if max(new) > long:
        shrink = long / max(new)
        new = [side * shrink for side in new]
    return max(1, int(new[0] + 0.5)), max(1, int(new[1] + 0.5))
