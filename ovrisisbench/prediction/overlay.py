"""The picture under its labels, with a legend: something to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ovrisisbench.prediction.writing import NO_DATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Overlay"]

LONGEST_SIDE: Final = 2048
"""Larger pictures are reduced, each pixel the mean of a block."""
_OPACITY: Final = 0.45
_PAPER: Final = (255, 255, 255)
_INK: Final = (31, 35, 40)
_BORDER: Final = (110, 119, 129)


class Overlay:
    """Gathers a picture and its labels as they come, reduced to a size that screens show.

    Args:
        size: (H, W) of the picture, pixels.
        colours: red, green, blue of each class.
    """

    def __init__(self, size: tuple[int, int], colours: Sequence[tuple[int, int, int]]) -> None:
        self._height, self._width = size
        self._block = -(-max(size) // LONGEST_SIDE)
        small = (-(-self._height // self._block), -(-self._width // self._block))
        self._sums = np.zeros((*small, 3), np.float32)
        self._pixels = np.zeros(small, np.float32)
        self._colours = np.zeros((256, 3), np.float32)
        self._colours[: len(colours)] = np.asarray(colours, np.float32).reshape(-1, 3)
        self._done = 0

    def add(self, pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """Take the next rows: (h, W, 3) uint8 pixels and (h, W) uint8 labels; pixels without data stay plain."""
        known = (labels != NO_DATA)[..., None]
        weights = np.where(known, np.float32(_OPACITY), np.float32(0))
        mixed = pixels + weights * (self._colours[labels] - pixels)
        across = np.add.reduceat(mixed, np.arange(0, self._width, self._block), axis=1, dtype=np.float32)
        counts = np.diff(np.r_[np.arange(0, self._width, self._block), self._width]).astype(np.float32)
        rows = (self._done + np.arange(len(labels))) // self._block
        np.add.at(self._sums, rows, across)
        np.add.at(self._pixels, rows, counts)
        self._done += len(labels)

    def picture(self, entries: Sequence[str]) -> Image.Image:
        """Return the picture above its legend.

        Args:
            entries: what the legend says of each class, in the order of the colours.
        """
        mean = self._sums / np.maximum(self._pixels, 1)[..., None]
        view = Image.fromarray(mean.round().clip(0, 255).astype(np.uint8))
        legend = self._legend(entries, view.width)
        sheet = Image.new("RGB", (max(view.width, legend.width), view.height + legend.height), _PAPER)
        sheet.paste(view, (0, 0))
        sheet.paste(legend, (0, view.height))
        return sheet

    def _legend(self, entries: Sequence[str], width: int) -> Image.Image:
        letters = max(13, min(28, width // 48))
        font = ImageFont.load_default(letters)
        row, margin = round(letters * 1.7), letters
        cell = round(max(font.getlength(entry) for entry in entries)) + 3 * letters + margin
        columns = max(1, min(len(entries), (width - margin) // cell))
        rows = -(-len(entries) // columns)
        panel = Image.new("RGB", (max(width, columns * cell + margin), rows * row + 2 * margin), _PAPER)
        draw = ImageDraw.Draw(panel)
        for position, entry in enumerate(entries):
            x, y = margin + position // rows * cell, margin + position % rows * row
            colour = tuple(int(part) for part in self._colours[position])
            draw.rectangle((x, y, x + 2 * letters, y + letters), fill=colour, outline=_BORDER)
            draw.text((x + round(2.5 * letters), y + letters // 2), entry, fill=_INK, font=font, anchor="lm")
        return panel
