"""One pass for bicubic doubling and the convolution with a kernel for every pixel that follows it.

Both are linear in the map, so the kernels can be brought down to the map's own
cells first: 11 x 11 taps between doubled pixels become 9 x 9 between cells.
The doubled map never exists, and the four pixels of a cell share their cells.
Pixels are then taken in square tiles. The kernels of a tile, laid out side by
side, are a banded matrix; it is multiplied with the cells around the tile.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Doubling", "reflected"]

_BICUBIC = -0.75
"""The free parameter of the cubic kernel, torch's."""

_LARGEST_TILE = 4
"""Side of a tile in cells. Larger ones waste products on zeros, smaller ones copy the cells more often."""

_PIXELS_AT_ONCE = {"cpu": 2048}
_PIXELS_AT_ONCE_ELSEWHERE = 1 << 16
"""Doubled pixels that go through together: what fits the cache of a core, or fills a GPU."""


def reflected(size: int, radius: int) -> NDArray[np.int64]:
    """Return which pixel stands at ``-radius .. size + radius - 1`` of a row that is reflected at both ends.

    The end pixels are not repeated. A row that is shorter than the radius is
    reflected again and again; padding of that kind is refused by torch.

    Example:
        >>> reflected(3, 2).tolist(), reflected(2, 3).tolist(), reflected(1, 1).tolist()
        ([2, 1, 0, 1, 2, 1, 0], [1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 0])
    """
    turn = max(1, 2 * (size - 1))
    place = np.arange(-radius, size + radius) % turn
    return np.minimum(place, turn - place)


class Doubling:
    """How the pixels of a doubled map are cut into tiles, and what they see of the map's cells.

    Args:
        rows: of the map that is doubled, in cells.
        columns: likewise.
        radius: reach of the kernels in doubled pixels.
        device: where the map is.
    """

    def __init__(self, rows: int, columns: int, radius: int, device: torch.device) -> None:
        self.rows, self.columns, self.radius, self.device = rows, columns, radius, device
        self.tile = math.gcd(rows, columns, _LARGEST_TILE)
        """Side of a tile in cells."""
        self.side = 2 * self.tile
        """Side of a tile in doubled pixels."""
        self.reach = _reach(radius)
        """Cells beyond its own that a pixel's kernel touches, to each side."""
        self._row_weights, self._column_weights = (
            torch.from_numpy(_tap_weights(cells, radius)).to(device) for cells in (rows, columns)
        )

    @property
    def across(self) -> int:
        """Tiles side by side."""
        return self.columns // self.tile

    def strips(self) -> list[range]:
        """Return the rows of tiles that are done together."""
        at_once = _PIXELS_AT_ONCE.get(self.device.type, _PIXELS_AT_ONCE_ELSEWHERE)
        step = max(1, at_once // (self.side * 2 * self.columns))
        rows = range(self.rows // self.tile)
        return [rows[start : start + step] for start in rows[::step]]

    def around(self, padded: Tensor, strip: range, *, halo: int, side: int) -> Tensor:
        """Return what lies around each tile of a strip, (tiles down, tiles across, side + 2 * halo squared, C).

        Args:
            padded: (rows + 2 * halo, columns + 2 * halo, C) of a map that has ``side`` rows and columns a tile.
            strip: rows of tiles.
            halo: rows and columns beyond a tile, to each side.
            side: rows and columns of a tile in this map.
        """
        row, column, channel = padded.stride()
        reach = side + 2 * halo
        view = padded.as_strided(
            (len(strip), self.across, reach, reach, padded.shape[2]),
            (side * row, side * column, row, column, channel),
            padded.storage_offset() + strip.start * side * row,
        )
        return view.flatten(2, 3)

    def band(self, products: Tensor) -> Tensor:
        """Pick, of the products of a tile's pixels with all that lies around it, those within the radius.

        Args:
            products: (down, across, side ** 2, (side + 2 * radius) ** 2), contiguous.

        Returns:
            (down, across, side, side, taps, taps), a view.
        """
        side, taps = self.side, 2 * self.radius + 1
        return self._diagonal(products, (side, side), (1, 1), around=side + 2 * self.radius, taps=taps)

    def on_cells(self, kernels: Tensor, strip: range) -> Tensor:
        """Bring kernels between doubled pixels down to the cells, and lay them out as one matrix a tile.

        Args:
            kernels: (down, across, side, side, taps ** 2) of a strip.
            strip: its rows of tiles.

        Returns:
            (down, across, side ** 2, (tile + 2 * reach) ** 2).
        """
        down, across, side = len(strip), self.across, self.side
        taps, reach = 2 * self.radius + 1, 2 * self.reach + 1
        rows = self._row_weights[strip.start * side : strip.stop * side].to(kernels.dtype)  # (y, reach, taps)
        columns = self._column_weights.to(kernels.dtype)  # (x, reach, taps)
        x = kernels.unflatten(-1, (taps, taps)).permute(0, 2, 4, 1, 3, 5)  # (down, side, taps, across, side, taps)
        x = torch.bmm(rows, x.reshape(down * side, taps, -1))  # (y, reach, x * taps)
        x = x.view(down * side * reach, across * side, taps).transpose(0, 1)
        x = torch.bmm(x, columns.transpose(1, 2))  # (x, y * reach, reach)
        x = x.view(across, self.tile, 2, down, self.tile, 2, reach, reach).permute(3, 0, 4, 5, 1, 2, 6, 7)
        around = self.tile + 2 * self.reach
        matrices = x.new_zeros(down, across, side * side, around * around)
        places = self._diagonal(matrices, (self.tile, 2, self.tile, 2), (1, 0, 1, 0), around=around, taps=reach)
        places.copy_(x)
        return matrices

    def together(self, tiles: Tensor) -> Tensor:
        """Put the tiles of a strip together: (down, across, side ** 2, C) to (down * side, across * side, C)."""
        tiles = tiles.unflatten(2, (self.side, self.side))
        return tiles.transpose(1, 2).flatten(2, 3).flatten(0, 1)

    def _diagonal(
        self, matrices: Tensor, pixels: tuple[int, ...], moves: tuple[int, ...], *, around: int, taps: int
    ) -> Tensor:
        """A view of (down, across, pixels of a tile, ``around`` squared): for each pixel the window that moves with it.

        Args:
            matrices: contiguous.
            pixels: the axes into which the pixels of a tile fall, rows first.
            moves: by how much one step along each of them moves the window.
            around: side of what lies around a tile.
            taps: side of the window.
        """
        width = around * around
        axes = len(pixels) // 2
        strides = [
            width * math.prod(pixels[axis + 1 :]) + move * (around if axis < axes else 1)
            for axis, move in enumerate(moves)
        ]
        down, across = matrices.shape[:2]
        tile = matrices.stride()[:2]
        return matrices.as_strided((down, across, *pixels, taps, taps), (*tile, *strides, around, 1))


def _reach(radius: int) -> int:
    return radius // 2 + 2  # two are for the cubic


@lru_cache(maxsize=64)
def _tap_weights(cells: int, radius: int) -> NDArray[np.float32]:
    """What each tap of a doubled pixel's kernel is made of, along one axis.

    A tap falls on a pixel, reflected where it lies beyond the end; the pixel is
    the bicubic mean of four cells, the end cell repeated. Both moves lead
    towards the pixel itself, so ``reach`` cells to each side are always enough.

    Args:
        cells: length of the axis before doubling.
        radius: reach of the kernel in doubled pixels.

    Returns:
        (2 * cells, 2 * reach + 1, 2 * radius + 1); cell ``c`` stands at ``c - pixel // 2 + reach``.
    """
    reach, taps = _reach(radius), 2 * radius + 1
    pixels = np.arange(2 * cells)[:, None]
    place = (reflected(2 * cells, radius)[pixels + np.arange(taps)] + 0.5) / 2 - 0.5  # in cells, (pixels, taps)
    weights = np.zeros((2 * cells, 2 * reach + 1, taps))
    for neighbour in (-1, 0, 1, 2):
        cell = np.floor(place).astype(int) + neighbour
        at = np.clip(cell, 0, cells - 1) - pixels // 2 + reach
        np.add.at(weights, (pixels, at, np.arange(taps)), _cubic(np.abs(place - cell)))
    return weights.astype(np.float32)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of a cell at a distance of at most two cells."""
    near = ((_BICUBIC + 2) * distance - (_BICUBIC + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * _BICUBIC - 4 * _BICUBIC
    return np.where(distance <= 1, near, far)
