"""The mean colour of each label, by which a wrong order of ids or bands shows itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GRID", "ClassColours", "ColourSum"]

GRID: Final = 8
"""Every eighth pixel of every eighth row is looked at: enough for a mean, and free."""


class ColourSum(NamedTuple):
    """Sums over the pixels of one label that were looked at."""

    pixels: int
    red: int
    green: int
    blue: int

    @property
    def mean(self) -> tuple[float, float, float]:
        """Mean (red, green, blue), 0..255; the three bands in file order, whatever they show."""
        return (self.red / self.pixels, self.green / self.pixels, self.blue / self.pixels)


class ClassColours:
    """Colour sums by label, filled image by image."""

    def __init__(self) -> None:
        self._sums = np.zeros((4, 256), np.int64)

    def add(self, labels: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        """Add pixels.

        Args:
            labels: (h, w) uint8.
            pixels: (h, w, 3) uint8 of the same places.
        """
        flat = labels.ravel()
        self._sums[0] += np.bincount(flat, minlength=256)
        for band in range(3):
            # Weighted bincount sums in float64, exact far beyond what one block can hold.
            sums = np.bincount(flat, weights=pixels[..., band].ravel(), minlength=256)
            self._sums[1 + band] += sums.astype(np.int64)

    def merge(self, sums: Iterable[tuple[int, ColourSum]]) -> None:
        """Add what :meth:`sums` of another returned."""
        for label, colour in sums:
            self._sums[:, label] += colour

    def sums(self) -> dict[int, ColourSum]:
        """Return the sums of every label that was seen."""
        return {int(label): ColourSum(*self._sums[:, label].tolist()) for label in np.flatnonzero(self._sums[0])}
