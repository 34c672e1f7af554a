"""What the set of numbers in masks of one band says about what was done to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ovrisisbench.catalog.cards import IGNORE_INDEX, Colour, DatasetCard, Layout, OtherOrder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cause", "Values", "cause_of_band", "cause_of_values", "grey_levels", "runs"]

_FEWEST_LEVELS: Final = 3
"""Distinct values above 0 before their arithmetic counts as evidence."""
_ALL: Final = 0.999
"""Share of pixels that a cause must explain; the rest may be single damaged pixels."""
_STRAY: Final = 0.0005
"""Share of pixels up to which a value may be a slip of somebody's hand and says nothing of the other pixels."""
_MOST_RUNS: Final = 12


class Cause(NamedTuple):
    """A likely cause and what to do, each a clause."""

    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Values:
    """The numbers that masks hold."""

    pixels: NDArray[np.int64]
    """(256,) int64: pixels by value."""
    first: dict[int, str]
    """Value -> path of the first mask that holds it."""

    def add(self, counts: NDArray[np.int64], path: str) -> None:
        """Add the counts of one mask, (256,) int64."""
        self.pixels[:] += counts
        for value in np.flatnonzero(counts):
            self.first.setdefault(int(value), path)

    @property
    def held(self) -> set[int]:
        """Values with pixels."""
        return {int(value) for value in np.flatnonzero(self.pixels)}

    def example(self, value: int | None = None) -> str:
        """Return the path of a mask that holds the value, or of the first mask."""
        return next(iter(self.first.values())) if value is None else self.first[value]

    def share(self, values: Iterable[int]) -> float:
        """Return the share of the pixels, 0..1, that have one of the values."""
        return float(self.pixels[sorted(values)].sum() / max(int(self.pixels.sum()), 1))


def cause_of_values(
    values: Values, known: set[int], card: DatasetCard, layout: Layout, *, fits: Callable[[OtherOrder], bool]
) -> Cause | None:
    """Return what likely was done to masks that hold numbers which nothing defines.

    Args:
        values: that they hold; at least one is not known.
        known: values that are defined.
        card: with the publisher's ids and colours, and with other orders.
        layout: with the paths of the right masks.
        fits: tells whether the colours of the pictures speak for another order.
    """
    plain, base = values.held - {IGNORE_INDEX}, known - {IGNORE_INDEX}
    rare = values.share(values.held - known) <= _STRAY
    return (
        _counted_through(values, card, layout)
        or _from_one(values, plain, base, card, layout)
        or _publishers_ids(values, plain, base, card, layout)
        or (None if rare else _other_order(plain, base, card, fits))
        or (None if rare else _top_is_ignored(values, plain, base))
        or _reduced(values, plain, base, known)
        or _spread_out(plain, base)
        or _grey(values, base, card)
    )


def cause_of_band(values: Values, card: DatasetCard) -> Cause:
    """Return what one-band masks likely are where pictures in class colours are expected."""
    levels = grey_levels(label.colour for label in (*card.classes, *card.other_labels))
    labels = len(card.classes) + len(card.other_labels)
    are_ids = values.held <= {*range(labels + 1), IGNORE_INDEX}
    if values.share(levels) >= _ALL and not are_ids:
        return Cause("the class colours were converted to grey", "use the masks as published, in colours")
    if are_ids and not values.held <= levels:
        return Cause("they hold numbers in place of colours", "use the masks as published, in colours")
    return Cause("these are converted masks", "use the masks as published, in colours")


def grey_levels(colours: Iterable[Colour]) -> set[int]:
    """Return what colours become when a picture is turned to grey as Pillow does it (ITU-R 601).

    Example:
        >>> sorted(grey_levels([(255, 0, 0), (0, 255, 0), (0, 0, 255)]))
        [29, 76, 150]
    """
    return {(19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16 for red, green, blue in colours}


def runs(values: Iterable[int]) -> str:
    """Return a set of numbers in words.

    Example:
        >>> runs({0, 1, 2, 3, 255}), runs([7]), runs([])
        ('0..3 and 255', '7', 'nothing')
    """
    found: list[list[int]] = []
    for value in sorted(values):
        if found and value == found[-1][-1] + 1:
            found[-1][1:] = [value]
        else:
            found.append([value])
    words = ["..".join(map(str, run)) for run in found]
    if len(words) > _MOST_RUNS:
        words = [*words[:_MOST_RUNS], f"{len(words) - _MOST_RUNS} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "nothing"


def _counted_through(values: Values, card: DatasetCard, layout: Layout) -> Cause | None:
    """Ids of which 255 is a class, and not what is ignored, replaced by 0, 1, ..."""
    is_class = IGNORE_INDEX in {label.original_id for label in card.classes}
    if not is_class or layout.masks_hold != "ids" or not values.held <= {*range(len(card.classes))}:
        return None
    return Cause(f"the publisher's ids were replaced by {runs(range(len(card.classes)))}", _right_masks(values, layout))


def _from_one(values: Values, plain: set[int], base: set[int], card: DatasetCard, layout: Layout) -> Cause | None:
    low = min(base)
    if not plain <= {value + 1 for value in base}:
        return None
    ids = {label.original_id for label in card.classes}
    whose = ", as the publisher's ids are" if plain <= ids and low not in ids else ""
    return Cause(
        f"every class is one too high: the labels are counted from {low + 1}{whose}", _right_masks(values, layout)
    )


def _publishers_ids(values: Values, plain: set[int], base: set[int], card: DatasetCard, layout: Layout) -> Cause | None:
    """Ids of the publisher, 0 among them for what belongs to no class."""
    ids = {label.original_id for label in (*card.classes, *card.other_labels)}
    outside = {label.original_id for label in card.other_labels if label.original_id is not None} & plain
    top = max(base) + 1
    if not outside or not plain <= ids or base == ids or top not in plain:
        return None
    # The background is more common than any class, and the publisher knows no 255.
    if IGNORE_INDEX in values.held or values.share(outside) <= max(values.share({value}) for value in plain - outside):
        return None
    return Cause(
        f"these are the publisher's ids, with {runs(outside)} for what belongs "
        "to no class, so that every class is one too high",
        _right_masks(values, layout),
    )


def _other_order(
    plain: set[int], base: set[int], card: DatasetCard, fits: Callable[[OtherOrder], bool]
) -> Cause | None:
    for order in sorted(card.checkup.other_orders, key=lambda order: len(order.classes)):
        if len(order.classes) > max(base) + 1 and plain <= {*range(len(order.classes))} and fits(order):
            return Cause(
                f"these are masks of {order.name}, which has {len(order.classes)} ids in another order",
                f"use the masks of {card.title}",
            )
    return None


def _top_is_ignored(values: Values, plain: set[int], base: set[int]) -> Cause | None:
    low, top = min(base), max(base) + 1
    if not (plain <= base | {top} and {low, top} <= plain) or IGNORE_INDEX in values.held:
        return None
    return Cause(
        f"{top}, one more than the last class, probably stands for ignored pixels, which the published code passes "
        "over without a word",
        f"write {IGNORE_INDEX} for them, or use masks that do",
    )


def _reduced(values: Values, plain: set[int], base: set[int], known: set[int]) -> Cause | None:
    low, high = min(base), max(base)
    # 0 reduced by one is 255 in 8 bits, which is how the usual tools mean it.
    wrapped = low == 0 and IGNORE_INDEX in values.held - known
    if not (plain <= {value - 1 for value in base} and high not in plain and (low - 1 in plain or wrapped)):
        return None
    where = f": {low} became {IGNORE_INDEX}, as version 2 of the benchmark and 'reduce_zero_label' do it"
    return Cause(
        f"every value was already reduced by one{where if wrapped else ''}",
        "use the masks as published, before that reduction",
    )


def _spread_out(plain: set[int], base: set[int]) -> Cause | None:
    """Ids multiplied, to make them visible."""
    levels = sorted(plain - {0})
    if len(levels) < _FEWEST_LEVELS:
        return None
    step = math.gcd(*levels)
    if step > 1 and levels[-1] // step <= max(base) + 1:
        return Cause(
            f"the ids were multiplied by {step} to make them visible", "divide them, or use the masks as published"
        )
    for count in {max(base), max(base) + 1}:
        stretched = {round(value * 255 / count) for value in range(count + 1)} | {
            value * 255 // count for value in range(count + 1)
        }
        if plain <= stretched and not plain <= base:
            return Cause("the ids were stretched to 0..255 to make them visible", "use the masks as published")
    return None


def _grey(values: Values, base: set[int], card: DatasetCard) -> Cause | None:
    levels = grey_levels(label.colour for label in (*card.classes, *card.other_labels))
    strange = values.held - base
    if values.share(levels) < _ALL or len(strange & levels) < min(_FEWEST_LEVELS, len(levels)):
        return None
    return Cause(
        "the palette was converted to grey: these are the brightnesses of the class colours",
        "use the palette masks as published, whose indices are the ids",
    )


def _right_masks(values: Values, layout: Layout) -> str:
    if layout.masks_hold == "ids":
        return "use the masks as published"
    folder = "D2masks" if any("D2masks" in path for path in layout.paths) else ""
    if folder and folder not in values.example():
        return f"use the masks of the folder {folder}, which count from 0"
    return "use masks that count from 0, or subtract one"
