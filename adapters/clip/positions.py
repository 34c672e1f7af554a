"""Position tables for other grids than the one they were trained on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["resized_positions"]


def resized_positions(table: Tensor, grid: int, *, scale: float | None = None) -> Tensor:
    """Resize the grid part of a position table bicubically; the class position stays as it is.

    Args:
        table: (1 + n * n, D), class position first, then the n x n grid row by row.
        grid: side of the grid wanted, in patches.
        scale: the factor to sample with instead of ``grid / n``. DINO passes
            ``(grid + 0.1) / n``, which moves the sampling points a little.

    Returns:
        (1 + grid * grid, D); the table itself where the grid already fits.
    """
    side = round((len(table) - 1) ** 0.5)
    if side == grid:
        return table
    cells = table[1:].T.unflatten(1, (side, side))[None]  # (1, D, n, n)
    if scale is None:
        cells = F.interpolate(cells, size=(grid, grid), mode="bicubic", align_corners=False)
    else:
        cells = F.interpolate(cells, scale_factor=scale, mode="bicubic", align_corners=False)
    resized = cells[0].flatten(1).T  # (grid * grid, D)
    return torch.cat([table[:1], resized])
