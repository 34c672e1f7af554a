"""Joining the scores of overlapping windows, one row of windows at a time.

The score of a pixel is the weighted mean of those that the windows give it.
The weight of a window falls from its middle to its border as a raised cosine
(a Hann window), in both directions:

    w(y, x) = h(y) h(x),   h(t) = sin^2(pi (t + 1/2) / size)

It is divided by the sum over all windows at the pixel, so the weights there
add up to 1, and a pixel that one window alone covers keeps its scores to the
bit: a picture that fits into one window is labelled as ``run`` labels it.
Windows stand in rows and columns, so the sum is a product of two, one for each
direction, and is known beforehand.

Only the rows of one row of windows are held: (K, size, W) float32.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.prediction.windows import Axis

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["BandBlender", "axis_weight", "stretched"]


def axis_weight(axis: Axis, index: int) -> NDArray[np.float32]:
    """Return (size,) float32: the weight of one window along one side; all windows sum to 1 at every pixel.

    Example:
        >>> from ovrisisbench.prediction.windows import spread
        >>> [axis_weight(spread(6, 4, 2), index).round(2).tolist() for index in (0, 1)]
        [[1.0, 1.0, 0.8500000238418579, 0.15000000596046448], [0.15000000596046448, 0.8500000238418579, 1.0, 1.0]]
    """
    size, own = axis.size, axis.starts[index]
    bell = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    total = np.zeros(size)
    # Only neighbours reach this window, however many there are along the side.
    first, last = bisect_right(axis.starts, own - size), bisect_left(axis.starts, own + size)
    for start in axis.starts[first:last]:
        shift = start - own
        total[max(shift, 0) : size + min(shift, 0)] += bell[max(-shift, 0) : size - max(shift, 0)]
    return np.asarray(bell / total, np.float32)


def stretched(scores: torch.Tensor | NDArray[np.float32], height: int, width: int) -> torch.Tensor:
    """Stretch (K, h, w) scores bilinearly to (K, height, width), as ``run`` does, where they are."""
    import torch
    import torch.nn.functional as F

    tensor = scores.detach() if isinstance(scores, torch.Tensor) else torch.from_numpy(np.array(scores, np.float32))
    tensor = tensor.float()
    if tuple(tensor.shape[1:]) == (height, width):
        return tensor
    return F.interpolate(tensor[None], size=(height, width), mode="bilinear", align_corners=False)[0]


class BandBlender:
    """Weighted sums of scores over one row of windows.

    Args:
        num_classes: K.
        rows: windows from top to bottom.
        columns: windows from left to right.
    """

    def __init__(self, num_classes: int, rows: Axis, columns: Axis) -> None:
        import torch

        self._rows, self._columns = rows, columns
        self._down = torch.from_numpy(axis_weight(rows, 0))
        self._across = [torch.from_numpy(axis_weight(columns, column)) for column in range(len(columns.starts))]
        self._sums = torch.zeros(num_classes, rows.size, columns.length)
        self._row = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the sums, the same however high the picture is."""
        return self._sums.nbytes

    def add(self, column: int, scores: torch.Tensor) -> None:
        """Add one window of the present row.

        Args:
            column: its number from the left.
            scores: (K, size, size) float32 on any device.
        """
        weight = self._down[:, None] * self._across[column][None, :]
        start = self._columns.starts[column]
        self._sums[:, :, start : start + self._columns.size] += scores.cpu() * weight

    def finish_row(self) -> NDArray[np.uint8]:
        """Return the labels of the rows that no later window touches, (h, W) uint8, and go on to the next row.

        Equal scores go to the lowest class.
        """
        import torch

        starts = self._rows.starts
        last = self._row + 1 == len(starts)
        final = self._rows.size if last else starts[self._row + 1] - starts[self._row]
        labels = _highest(self._sums[:, :final])
        if not last:
            kept = self._rows.size - final
            self._sums[:, :kept] = self._sums[:, final:].clone()
            self._sums[:, kept:] = 0
            self._row += 1
            self._down = torch.from_numpy(axis_weight(self._rows, self._row))
        return labels


def _highest(scores: torch.Tensor) -> NDArray[np.uint8]:
    # Class by class: an argmax over the first axis jumps through memory at every pixel.
    best = scores[0].clone()
    labels = np.zeros(tuple(best.shape), np.uint8)
    for index in range(1, len(scores)):
        higher = scores[index] > best
        labels[higher.numpy()] = index
        best = best.maximum(scores[index])
    return labels
