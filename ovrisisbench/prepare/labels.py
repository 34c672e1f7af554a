"""Masks as label maps: colours or ids of a file -> indices of the vocabulary, 255 = ignored."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from ovrisisbench.catalog.cards import IGNORE_INDEX, Colour, DatasetCard, Variant
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.pictures import Picture
from ovrisisbench.prepare.windows import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColourLabels", "ColourTable", "IndexLabels", "LabelMap", "colour_table"]

_MAX_COLOURS: Final = 254
"""So that one byte is left to stand for every colour outside the table."""


class LabelMap(Protocol):
    """The label map of one mask, computed a rectangle at a time."""

    def labels(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w) uint8, 0..K-1 and 255 = ignored.

        Raises:
            DataError: a pixel holds nothing the data set defines.
        """
        ...


class ColourTable:
    """Class colours, as a table over all 2**24 colours (16 MiB).

    Args:
        indices: (colour, index in the vocabulary or 255) of every colour that may occur.
    """

    def __init__(self, indices: tuple[tuple[Colour, int], ...]) -> None:
        if len(indices) > _MAX_COLOURS:
            raise ValueError(f"a colour table holds at most {_MAX_COLOURS} colours, not {len(indices)}")
        used = {index for _, index in indices}
        self.unknown = next(value for value in range(256) if value not in used)
        self.colours = frozenset(colour for colour, _ in indices)
        self.index_of = np.full(1 << 24, self.unknown, np.uint8)
        for (red, green, blue), index in indices:
            self.index_of[red | green << 8 | blue << 16] = index


def colour_table(card: DatasetCard, variant: Variant) -> ColourTable:
    """Return the table of one reading of a data set; the last ones are kept."""
    indices = []
    for label in (*card.classes, *card.other_labels):
        index = variant.labels[label.name]
        indices.append((label.colour, IGNORE_INDEX if index == "ignore" else index))
    return _cached_table(tuple(indices))


@lru_cache(maxsize=2)
def _cached_table(indices: tuple[tuple[Colour, int], ...]) -> ColourTable:
    return ColourTable(indices)


class ColourLabels:
    """A mask whose pixels are class colours.

    Args:
        mask: an RGB or palette picture.
        table: colour -> index.
        hint: what a mask with foreign colours probably is, for the error text.

    Raises:
        DataError: the mask has one grey band.
    """

    def __init__(self, mask: Picture, table: ColourTable, *, hint: str) -> None:
        if mask.mode in ("L", "LA"):
            raise DataError(
                f"{mask.entry.path} has one band, but the data set's masks are pictures in class colours; "
                "use the masks as published, not converted ones."
            )
        self._mask = mask
        self._table = table
        self._hint = hint

    def labels(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w) uint8; see :class:`LabelMap`."""
        packed = self._mask.packed_rgb(box)
        labels = self._table.index_of[packed]
        strange = labels == self._table.unknown
        if strange.any():
            row, column = np.unravel_index(int(strange.argmax()), strange.shape)
            key = int(packed[row, column])
            colour = (key & 255, key >> 8 & 255, key >> 16)
            raise DataError(
                f"{self._mask.entry.path} has colour {colour} at row {box.y0 + row}, column {box.x0 + column}, "
                f"which no class has; {self._cause(colour)}."
            )
        return labels

    def _cause(self, colour: tuple[int, int, int]) -> str:
        if colour[::-1] in self._table.colours:
            return "it looks like BGR, the channels in reverse order: convert the masks to RGB"
        if self._mask.file_format == "JPEG":
            return "the mask is a JPEG, whose colours are inexact: use the masks as published"
        return self._hint


class IndexLabels:
    """A mask whose pixels are already indices of the vocabulary.

    Args:
        mask: a one-band picture.
        classes: K.
        hint: what a mask with foreign values probably is, for the error text.

    Raises:
        DataError: the mask is a colour picture.
    """

    def __init__(self, mask: Picture, classes: int, *, hint: str) -> None:
        if mask.mode not in ("L", "P"):
            raise DataError(
                f"{mask.entry.path} is a colour picture ({mask.mode}), but masks of this layout hold one band of "
                f"ids 0..{classes - 1} and 255."
            )
        self._mask = mask
        self._classes = classes
        self._hint = hint

    def labels(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w) uint8; see :class:`LabelMap`."""
        labels = self._mask.band(box)
        strange = (labels >= self._classes) & (labels != IGNORE_INDEX)
        if strange.any():
            row, column = np.unravel_index(int(strange.argmax()), strange.shape)
            raise DataError(
                f"{self._mask.entry.path} has value {labels[row, column]} at row {box.y0 + row}, column "
                f"{box.x0 + column}, but ids run from 0 to {self._classes - 1} and 255; {self._hint}."
            )
        return labels
