"""Scores to labels with torch alone, in blocks of rows; never the full-resolution scores.

On the processor torch widens and blends, and numpy compares, since torch's
comparisons and its argmax over the first axis are not vectorised. On other
devices the whole work stays there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.evaluate._taps import Taps, bilinear_taps

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from numpy.typing import NDArray

__all__ = ["device_labels", "torch_labels"]

_BLENDED_BYTES = 2 * 2**20  # scores of the output rows in work; about the second-level cache
_WIDENED_BYTES = 8 * 2**20  # widened source rows; a neighbouring block widens one of them again
_DEVICE_BYTES = 64 * 2**20  # scores of the output rows in work on an accelerator


def torch_labels(scores: torch.Tensor, height: int, width: int) -> NDArray[np.uint8]:
    """Return the (height, width) labels of (K, h, w) float32 scores on the processor."""
    import torch

    num_classes = scores.shape[0]
    rows = bilinear_taps(scores.shape[1], height)
    labels = np.zeros((height, width), np.uint8)
    row_bytes = 4 * num_classes * width
    block_rows = min(height, max(1, _BLENDED_BYTES // row_bytes))
    blended = torch.empty(num_classes, block_rows, width)
    for start, stop, first_source, last_source in _bands(rows, max(2, _WIDENED_BYTES // row_bytes)):
        widened = _widen(scores[:, first_source : last_source + 1], width).unbind(1)
        for top in range(start, stop, block_rows):
            bottom = min(stop, top + block_rows)
            for y, out in zip(range(top, bottom), blended.unbind(1), strict=False):
                upper = widened[rows.first[y] - first_source]
                lower = widened[rows.second[y] - first_source]
                # The order of these two is that of torch's own kernel, so the sums round alike.
                torch.mul(lower, float(rows.second_weight[y]), out=out)
                out.add_(upper, alpha=float(rows.first_weight[y]))
            _take_highest(blended[:, : bottom - top].numpy(), labels[top:bottom])
    return labels


def device_labels(scores: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return the (height, width) uint8 labels of (K, h, w) float32 scores, all on the scores' device.

    Does not wait for the device.
    """
    import torch

    num_classes = scores.shape[0]
    rows = bilinear_taps(scores.shape[1], height)
    labels = torch.empty((height, width), dtype=torch.uint8, device=scores.device)
    block_rows = max(1, _DEVICE_BYTES // (4 * num_classes * width))
    first, second, first_weight, second_weight = (
        torch.from_numpy(tap).to(scores.device, non_blocking=True) for tap in rows
    )
    for top in range(0, height, block_rows):
        block = slice(top, min(height, top + block_rows))
        first_source, last_source = int(rows.first[block][0]), int(rows.second[block][-1])
        widened = _widen(scores[:, first_source : last_source + 1], width)
        blended = widened.index_select(1, second[block] - first_source)
        blended *= second_weight[block, None]
        blended.addcmul_(widened.index_select(1, first[block] - first_source), first_weight[block, None])
        labels[block] = blended.argmax(dim=0)
    return labels


def _bands(rows: Taps, source_rows: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield output rows (start, stop) and the (first, last) source rows they read, at most so many."""
    start, height = 0, rows.first.size
    while start < height:
        first = int(rows.first[start])
        stop = int(np.searchsorted(rows.second, first + source_rows, side="left"))
        yield start, stop, first, int(rows.second[stop - 1])
        start = stop


def _widen(scores: torch.Tensor, width: int) -> torch.Tensor:
    """Resize (K, rows, w) scores along the rows only: every source row keeps its value exactly."""
    import torch.nn.functional as F

    size = (scores.shape[1], width)
    return F.interpolate(scores[None], size=size, mode="bilinear", align_corners=False)[0]


def _take_highest(scores: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
    """Write the first of the highest classes of (K, rows, width) scores into zeroed labels."""
    best = scores[0]
    higher = np.empty(best.shape, np.bool_)
    candidate = higher.view(np.uint8)
    for c in range(1, scores.shape[0]):
        np.greater(scores[c], best, out=higher)
        np.maximum(scores[c], best, out=best)
        # Classes rise, so the highest index that ever won stands.
        np.multiply(candidate, np.uint8(c), out=candidate)
        np.maximum(labels, candidate, out=labels)
