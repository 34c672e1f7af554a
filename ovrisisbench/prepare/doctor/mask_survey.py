"""Why masks hold values or colours that nothing defines: a look at many of them, and the likely cause in words.

Called after the conversion has stopped at one pixel, which alone says little;
the set of all values says what was done to the masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Layout, OtherOrder, Variant
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.conversion.class_colours import GRID, ClassColours
from ovrisisbench.prepare.doctor.findings import Finding
from ovrisisbench.prepare.doctor.label_orders import CLEAR_GAIN, plant_gap
from ovrisisbench.prepare.doctor.mask_colours import Colours, cause_of_colour_picture, cause_of_colours
from ovrisisbench.prepare.doctor.mask_values import Cause, Values, cause_of_band, cause_of_values, runs
from ovrisisbench.prepare.download.pictures import Picture, open_picture, pack_colour, unpack_colour
from ovrisisbench.prepare.layouts.interface import Pair
from ovrisisbench.prepare.windows import Box, row_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["explain_masks"]

_MOST_COLOURS: Final = 50_000
"""Distinct colours that are remembered; no mask that can be explained has as many."""
_SHOWN: Final = 5
_PICTURES: Final = 12
"""Images that are read where only colours can tell two causes apart."""


class _Survey:
    """What was seen in all masks that could be read."""

    def __init__(self) -> None:
        self.values = Values(np.zeros(256, np.int64), {})
        self.colours = Colours({}, {}, {}, jpegs=0)
        self.bands = self.pictures = 0

    def add(self, mask: Picture, *, as_band: bool) -> None:
        """Count what one mask holds.

        Args:
            mask: decoded.
            as_band: count the numbers of its one band, or else its colours.
        """
        path = mask.entry.path
        boxes = row_blocks(Box(0, mask.height, 0, mask.width))
        if as_band:
            self.bands += 1
            counts = np.zeros(256, np.int64)
            for box in boxes:
                band = mask.band(box) if mask.mode in ("L", "P") else mask.rgb(box)[..., 0]
                counts += np.bincount(band.ravel(), minlength=256)
            self.values.add(counts, path)
            return
        self.pictures += 1
        found: dict[int, int] = {}
        for box in boxes:
            for colour, pixels in _counted(mask.packed_rgb(box)):
                if colour in found or len(found) < _MOST_COLOURS:
                    found[colour] = found.get(colour, 0) + pixels
        self.colours.add(found, path, is_jpeg=mask.file_format == "JPEG", most=_MOST_COLOURS)


def explain_masks(
    pairs: Sequence[Pair], card: DatasetCard, variant: Variant, layout: Layout, *, most: int = 48
) -> Finding | None:
    """Look at masks and say what is likely wrong with them.

    Args:
        pairs: all of the download.
        card: with the publisher's colours and ids, and other orders that circulate.
        variant: with the vocabulary.
        layout: with what its masks should hold.
        most: masks that are read, spread evenly over the splits and over the list.

    Returns:
        An error that names the strange values or colours, with the cause where the evidence fits one; None if the
        masks that were read hold nothing strange.
    """
    survey = _Survey()
    for pair in _spread(pairs, most):
        try:
            with open_picture(pair.mask) as mask:
                survey.add(mask, as_band=_is_band(mask, card, layout))
        except DataError:
            # A damaged mask is reported where it is converted.
            continue
    if survey.bands and (survey.bands >= survey.pictures or layout.masks_hold == "colours"):
        return _explain_bands(survey, pairs, card, variant, layout)
    if survey.pictures:
        return _explain_pictures(survey, card, variant, layout)
    return None


def _explain_bands(
    survey: _Survey, pairs: Sequence[Pair], card: DatasetCard, variant: Variant, layout: Layout
) -> Finding | None:
    values = survey.values
    if layout.masks_hold == "colours":
        return _finding(
            "label colours",
            f"the {_colours_of(card)} colours of the classes",
            f"{survey.bands} mask(s) of one band with the values {runs(values.held)}, such as {values.example()}",
            cause_of_band(values, card),
        )
    known = _known_values(card, variant, layout)
    strange = values.held - known
    if not strange:
        return None
    found = f"{runs(values.held)} in {survey.bands} mask(s)"
    declared = _declared(card, variant, layout)
    cause = cause_of_values(
        values, known, card, layout, fits=lambda order: _order_fits(order, declared, _spread(pairs, _PICTURES), card)
    )
    if cause is None:
        shown = sorted(strange, key=lambda value: -int(values.pixels[value]))[:_SHOWN]
        words = [
            f"{value} ({int(values.pixels[value]):,} pixel(s), first in {values.example(value)})" for value in shown
        ]
        found += f", of which nothing defines {', '.join(words)}{_more(len(strange))}"
    else:
        found += f", such as {values.example(min(strange))}"
    return _finding("label values", runs(known), found, cause)


def _explain_pictures(survey: _Survey, card: DatasetCard, variant: Variant, layout: Layout) -> Finding | None:
    colours = survey.colours
    known = {pack_colour(label.colour) for label in (*card.classes, *card.other_labels)}
    if layout.masks_hold in ("ids", "indices"):
        return _finding(
            "label values",
            f"one band of {runs(_known_values(card, variant, layout))}",
            f"{survey.pictures} colour picture(s) of {len(colours.pixels):,} colours, such as {colours.example()}",
            cause_of_colour_picture(colours, known),
        )
    strange = set(colours.pixels) - known
    if not strange:
        return None
    shown = sorted(strange, key=lambda colour: -colours.pixels[colour])[:_SHOWN]
    words = ", ".join(f"{unpack_colour(colour)} ({colours.pixels[colour]:,} pixel(s))" for colour in shown)
    return _finding(
        "label colours",
        f"the {_colours_of(card)} colours of the classes",
        f"{words}{_more(len(strange))} in {survey.pictures} mask(s), such as {colours.example(shown[0])}",
        cause_of_colours(colours, known, card, layout),
    )


def _finding(subject: str, expected: str, found: str, cause: Cause | None) -> Finding:
    words = cause or Cause("", "use the masks as published")
    return Finding(
        severity="error", subject=subject, expected=expected, found=found, cause=words.cause, remedy=words.remedy
    )


def _is_band(mask: Picture, card: DatasetCard, layout: Layout) -> bool:
    # As the reader does it: a palette is looked up only where colours are expected, and greys are colours.
    if layout.masks_hold == "colours" and card.has_grey_colours:
        return False
    return mask.mode in ("L", "LA") or (mask.mode == "P" and layout.masks_hold != "colours")


def _order_fits(order: OtherOrder, declared: Mapping[int, str], pairs: Iterable[Pair], card: DatasetCard) -> bool:
    """Tell whether plants look more like plants if the numbers are read in another order; True if nothing tells."""
    colours = ClassColours()
    for pair in pairs:
        try:
            with open_picture(pair.mask) as mask:
                whole = Box(0, mask.height, 0, mask.width)
                labels = mask.band(whole)[::GRID, ::GRID].copy() if mask.mode in ("L", "P") else None
            with open_picture(pair.image, extra_bands=pair.extra_bands) as image:
                pixels = image.rgb(Box(0, image.height, 0, image.width))[::GRID, ::GRID]
        except DataError:
            continue
        if labels is not None and labels.shape == pixels.shape[:2]:
            colours.add(labels, pixels)
    there = plant_gap(card, dict(enumerate(order.classes)), colours.sums())
    here = plant_gap(card, declared, colours.sums())
    if here is None or there is None:
        return here is None or here < CLEAR_GAIN
    return there > here


def _declared(card: DatasetCard, variant: Variant, layout: Layout) -> dict[int, str]:
    """Return the label that each number of a mask stands for."""
    if layout.masks_hold == "ids":
        labels = (*card.classes, *card.other_labels)
        return {label.original_id: label.name for label in labels if label.original_id is not None}
    return {index: name for name, index in variant.labels.items() if index != "ignore"}


def _known_values(card: DatasetCard, variant: Variant, layout: Layout) -> set[int]:
    numbers = set(_declared(card, variant, layout))
    return numbers if layout.masks_hold == "ids" else {*numbers, IGNORE_INDEX}


def _spread(pairs: Sequence[Pair], most: int) -> list[Pair]:
    """Choose pairs evenly, the same share of every split, and in an order that mixes the splits."""
    splits: dict[str, list[Pair]] = {}
    for pair in pairs:
        splits.setdefault(pair.split, []).append(pair)
    chosen: list[Pair] = []
    left = min(most, len(pairs))
    for number, members in enumerate(sorted(splits.values(), key=len)):
        count = min(len(members), -(-left // (len(splits) - number)))
        chosen += [members[(2 * place + 1) * len(members) // (2 * count)] for place in range(count)]
        left -= count
    return chosen


def _counted(packed: NDArray[np.uint32]) -> Iterable[tuple[int, int]]:
    """Return (colour, pixels) of a rectangle; by runs, because masks are made of areas."""
    flat = packed.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.append(starts, flat.size))
    colours, place = np.unique(flat[starts], return_inverse=True)
    pixels = np.bincount(place, weights=lengths)
    return zip(colours.tolist(), pixels.astype(np.int64).tolist(), strict=True)


def _colours_of(card: DatasetCard) -> int:
    return len({label.colour for label in (*card.classes, *card.other_labels)})


def _more(count: int) -> str:
    return f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
