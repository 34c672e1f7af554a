"""Position tables for other grids than the one they were trained on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Grid", "resized_grid", "resized_positions"]

Grid = tuple[int, int]
"""Rows and columns, in patches."""


def resized_positions(table: Tensor, grid: Grid, *, scale: tuple[float, float] | None = None) -> Tensor:
    """Resize the grid part of a position table bicubically; the class position stays as it is.

    Args:
        table: (1 + n * n, D), class position first, then the n x n grid row by row.
        grid: rows and columns of the grid wanted.
        scale: the factors to sample with instead of ``grid / n``. DINO passes
            ``(grid + 0.1) / n``, which moves the sampling points a little.

    Returns:
        (1 + rows * columns, D); the table itself where the grid already fits.
    """
    side = round((len(table) - 1) ** 0.5)
    if grid == (side, side):
        return table
    return torch.cat([table[:1], resized_grid(table[1:], (side, side), grid, scale=scale)])


def resized_grid(cells: Tensor, old: Grid, new: Grid, *, scale: tuple[float, float] | None = None) -> Tensor:
    """Resize a position table without a class position bicubically.

    Args:
        cells: (rows * columns, D) of the grid ``old``, row by row.
        old: its rows and columns.
        new: rows and columns wanted.
        scale: the factors to sample with instead of ``new / old``; they must lead to ``new`` as well.

    Returns:
        (rows * columns, D) of the grid ``new``.
    """
    maps = cells.T.unflatten(1, old)[None]  # (1, D, rows, columns)
    if scale is None:
        maps = F.interpolate(maps, size=new, mode="bicubic", align_corners=False)
    else:
        maps = F.interpolate(maps, scale_factor=scale, mode="bicubic", align_corners=False)
    return maps[0].flatten(1).T
