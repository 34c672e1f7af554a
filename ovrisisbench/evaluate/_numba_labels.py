"""Scores to labels with numba: resized and compared in one pass, nothing of full resolution kept.

Each source row is widened once, and only the two rows that the current output
rows lie between are held. Values are blended in torch's order (first along the
row, then between rows) so that labels agree with it to the last bit wherever
both use fused multiply-adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.evaluate._kernels import compile_kernel
from ovrisisbench.evaluate._taps import bilinear_taps

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["numba_labels"]

_STRIPE = 1024  # output columns held at a time: for 17 classes two rows of them fill 140 KiB
_PIECE = 16  # columns that the compiler turns into one or two vector instructions


def numba_labels(scores: NDArray[np.float32], height: int, width: int) -> NDArray[np.uint8]:
    """Return the (height, width) labels of contiguous (K, h, w) scores."""
    rows = bilinear_taps(scores.shape[1], height)
    labels = np.empty((height, width), np.uint8)
    columns = bilinear_taps(scores.shape[2], width)
    for left in range(0, width, _STRIPE):
        stripe = slice(left, min(width, left + _STRIPE))
        first, second, first_weight, second_weight = (tap[stripe] for tap in columns)
        starts = np.flatnonzero(np.diff(first, prepend=-1))
        stops = np.append(starts[1:], first.size)
        pieces = (stops - starts + _PIECE - 1) // _PIECE
        padding = (0, _PIECE)  # the last piece of a cell may run over its end
        _label_stripe(
            scores,
            rows,
            np.stack([first[starts], second[starts], starts, pieces]),
            np.pad(first_weight, padding),
            np.pad(second_weight, padding),
            labels[:, stripe],
        )
    return labels


@compile_kernel
def _widen(
    row: NDArray[np.float32],
    cells: NDArray[np.int64],
    first_weight: NDArray[np.float32],
    second_weight: NDArray[np.float32],
    wide: NDArray[np.float32],
) -> None:
    """Resize one (K, w) source row along its length.

    Output columns between the same two source columns are one cell. It is
    written in pieces of fixed length, from left to right; what a piece writes
    past the end of its cell is overwritten by the next cell.
    """
    for j in range(cells.shape[1]):
        first = cells[0, j]
        second = cells[1, j]
        for k in range(cells[3, j]):
            start = cells[2, j] + k * _PIECE
            alpha = first_weight[start : start + _PIECE]
            beta = second_weight[start : start + _PIECE]
            for c in range(row.shape[0]):
                a = row[c, first]
                b = row[c, second]
                piece = wide[c, start : start + _PIECE]
                for x in range(_PIECE):
                    piece[x] = alpha[x] * a + beta[x] * b


@compile_kernel
def _label_row(  # noqa: PLR0917 - kernels are called by position
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    upper_weight: np.float32,
    lower_weight: np.float32,
    best: NDArray[np.float32],
    winner: NDArray[np.int32],
    labels: NDArray[np.uint8],
) -> None:
    """Blend two (K, columns) rows and keep the first of the highest classes of each column."""
    a = upper[0]
    b = lower[0]
    for x in range(best.size):
        best[x] = upper_weight * a[x] + lower_weight * b[x]
        winner[x] = 0
    for c in range(1, upper.shape[0]):
        a = upper[c]
        b = lower[c]
        for x in range(best.size):
            score = upper_weight * a[x] + lower_weight * b[x]
            higher = score > best[x]
            best[x] = score if higher else best[x]
            winner[x] = np.int32(c) if higher else winner[x]
    for x in range(labels.size):
        labels[x] = np.uint8(winner[x])


@compile_kernel
def _label_stripe(  # noqa: PLR0917 - kernels are called by position
    scores: NDArray[np.float32],
    rows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]],
    cells: NDArray[np.int64],
    first_weight: NDArray[np.float32],
    second_weight: NDArray[np.float32],
    labels: NDArray[np.uint8],
) -> None:
    """Label a stripe of columns over the full height."""
    upper_index, lower_index, upper_weight, lower_weight = rows
    columns = labels.shape[1]
    upper = np.empty((scores.shape[0], columns + _PIECE), np.float32)
    lower = np.empty((scores.shape[0], columns + _PIECE), np.float32)
    best = np.empty(columns, np.float32)
    winner = np.empty(columns, np.int32)
    in_upper = -1
    in_lower = -1
    for y in range(labels.shape[0]):
        if in_upper != upper_index[y]:
            if in_lower == upper_index[y]:
                upper, lower = lower, upper
                in_upper, in_lower = in_lower, in_upper
            else:
                _widen(scores[:, upper_index[y]], cells, first_weight, second_weight, upper)
                in_upper = upper_index[y]
        if in_lower != lower_index[y]:
            _widen(scores[:, lower_index[y]], cells, first_weight, second_weight, lower)
            in_lower = lower_index[y]
        _label_row(upper, lower, upper_weight[y], lower_weight[y], best, winner, labels[y])
