"""Masks as label maps: colours or ids of a file -> indices of the vocabulary, 255 = ignored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from ovrisisbench.catalog.cards import IGNORE_INDEX, Colour, DatasetCard, Layout, Variant
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.pictures import Picture, pack_colour, unpack_colour
from ovrisisbench.prepare.windows import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColourLabels", "IdLabels", "LabelMap", "StrangeLabelsError", "label_map_of"]

_MAX_COLOURS: Final = 254
"""So that one byte is left to stand for every colour outside the table."""
_HIGH_BITS: Final = 0x808080
_NEAR_CORNER: Final = 80
"""A band that is further from both 0 and 255 than this may belong to either."""
_MOST_BETWEEN: Final = 0.05
"""Share of pixels between the colours beyond which a picture is no blurred mask, but none at all."""


class StrangeLabelsError(DataError):
    """A mask holds what nothing defines; :mod:`~ovrisisbench.prepare.doctor.mask_survey` finds out why."""


class LabelMap(Protocol):
    """The label map of one mask, computed a rectangle at a time."""

    @property
    def remark(self) -> str:
        """Words for what had to be done to the mask so far, empty for nothing."""
        ...

    def labels(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w) uint8, 0..K-1 and 255 = ignored.

        Raises:
            StrangeLabelsError: a pixel holds nothing the data set defines.
        """
        ...


def label_map_of(mask: Picture, card: DatasetCard, variant: Variant, layout: Layout) -> LabelMap:
    """Return the label map of one mask, read as the layout says.

    Args:
        mask: the picture.
        card: with the publisher's colours and ids.
        variant: with the index of each label.
        layout: with what its masks hold.

    Raises:
        StrangeLabelsError: the mask is of another kind: colours where ids are expected, or the reverse.
    """
    has_colours = layout.masks_hold == "indices or colours" and mask.mode not in ("L", "LA", "P")
    if layout.masks_hold == "colours" or has_colours:
        return ColourLabels(mask, card, variant)
    if layout.masks_hold != "ids":
        indices = {index: index for index in range(len(load_vocabulary(variant.vocabulary).class_names))}
        return IdLabels(mask, {**indices, IGNORE_INDEX: IGNORE_INDEX})
    ids = {}
    for label in (*card.classes, *card.other_labels):
        if label.original_id is not None:
            ids[label.original_id] = variant.index(label.name)
    return IdLabels(mask, ids)


class ColourLabels:
    """A mask whose pixels are class colours.

    Args:
        mask: an RGB or palette picture; where all colours are grey, one band will do.
        card: with the colours, and with what is done about others.
        variant: with the index of each label.

    Raises:
        StrangeLabelsError: the mask has one grey band, and the colours are not grey.
    """

    def __init__(self, mask: Picture, card: DatasetCard, variant: Variant) -> None:
        if mask.mode in ("L", "LA") and not card.has_grey_colours:
            raise StrangeLabelsError(
                f"{mask.entry.path} has one band, but the data set's masks are pictures in class colours; "
                "use the masks as published, not converted ones."
            )
        labels = (*card.classes, *card.other_labels)
        self._table = _table(tuple((label.colour, variant.index(label.name)) for label in labels))
        self._mask = mask
        self._to_corners = card.off_palette == "nearest corner"
        self._seen = self._moved = self._between = 0

    @property
    def remark(self) -> str:
        """Words for blurred colours, empty where there were none."""
        if not self._moved:
            return ""
        # Rows are read more than once where windows overlap, so only the share means something.
        share = f"{self._moved / self._seen:.2%}" if self._moved / self._seen >= 1e-4 else "under 0.01 %"
        return f"{share} of its mask in blurred colours, each band read as below or above 128"

    def labels(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w) uint8; see :class:`LabelMap`."""
        packed = self._mask.packed_rgb(box)
        labels = self._table.index_of[packed]
        strange = labels == self._table.unknown
        if self._to_corners:
            labels, strange = self._moved_to_corners(packed, labels, strange)
        if strange.any():
            row, column = np.unravel_index(int(strange.argmax()), strange.shape)
            key = int(packed[row, column])
            raise StrangeLabelsError(
                f"{self._mask.entry.path} has colour {unpack_colour(key)} at row {box.y0 + row}, "
                f"column {box.x0 + column}, which no class has."
            )
        return labels

    def _moved_to_corners(
        self, packed: NDArray[np.uint32], labels: NDArray[np.uint8], strange: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        colours = packed[strange]
        bands = np.stack([colours & 255, colours >> 8 & 255, colours >> 16])
        between = ((bands > _NEAR_CORNER) & (bands < 255 - _NEAR_CORNER)).any(axis=0)
        self._seen += strange.size
        self._moved += colours.size
        self._between += int(np.count_nonzero(between))
        if self._between > _MOST_BETWEEN * self._seen:
            return labels, strange
        corners = (colours & np.uint32(_HIGH_BITS)) >> np.uint32(7)
        labels[strange] = self._table.index_of[corners * np.uint32(255)]
        return labels, labels == self._table.unknown


class IdLabels:
    """A mask whose pixels are numbers.

    Args:
        mask: a picture of one band, or a palette picture, whose indices are then the numbers.
        index_of: number -> index in the vocabulary, or 255.

    Raises:
        StrangeLabelsError: the mask is a colour picture.
    """

    remark = ""

    def __init__(self, mask: Picture, index_of: Mapping[int, int]) -> None:
        if mask.mode not in ("L", "P"):
            raise StrangeLabelsError(
                f"{mask.entry.path} is a colour picture ({mask.mode}), but masks of this layout hold one band of "
                f"numbers ({_ranges(index_of)}); use the masks as published."
            )
        self._mask = mask
        self._numbers = _ranges(index_of)
        self._known = np.zeros(256, bool)
        self._index_of = np.zeros(256, np.uint8)
        for number, index in index_of.items():
            self._known[number] = True
            self._index_of[number] = index

    def labels(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w) uint8; see :class:`LabelMap`."""
        numbers = self._mask.band(box)
        known = self._known[numbers]
        if not known.all():
            row, column = np.unravel_index(int(known.argmin()), known.shape)
            raise StrangeLabelsError(
                f"{self._mask.entry.path} has value {numbers[row, column]} at row {box.y0 + row}, column "
                f"{box.x0 + column}, but the values of this layout are {self._numbers}."
            )
        return self._index_of[numbers]


class _ColourTable:
    """Class colours, as a table over all 2**24 colours (16 MiB)."""

    def __init__(self, indices: tuple[tuple[Colour, int], ...]) -> None:
        if len(indices) > _MAX_COLOURS:
            raise ValueError(f"a colour table holds at most {_MAX_COLOURS} colours, not {len(indices)}")
        used = {index for _, index in indices}
        self.unknown = next(value for value in range(256) if value not in used)
        self.index_of = np.full(1 << 24, self.unknown, np.uint8)
        for colour, index in indices:
            self.index_of[pack_colour(colour)] = index


@lru_cache(maxsize=2)
def _table(indices: tuple[tuple[Colour, int], ...]) -> _ColourTable:
    return _ColourTable(indices)


def _ranges(numbers: Mapping[int, int]) -> str:
    """Return ``0..5 and 255`` for the numbers 0, 1, 2, 3, 4, 5 and 255."""
    words: list[list[int]] = []
    for number in sorted(numbers):
        if words and number == words[-1][-1] + 1:
            words[-1].append(number)
        else:
            words.append([number])
    return " and ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in words)
