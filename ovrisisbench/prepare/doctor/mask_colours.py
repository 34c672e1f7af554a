"""What the set of colours in masks says about what was done to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.catalog.cards import DatasetCard, Layout
from ovrisisbench.prepare.doctor.mask_values import Cause, Values, cause_of_band, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Colours", "cause_of_colour_picture", "cause_of_colours"]

_AS_PUBLISHED: Final = "use the masks as published"
_MOST: Final = 0.95
"""Share of the strange pixels that a cause must explain."""
_NEAR: Final = 28
"""Largest difference of a band that JPEG of usual quality makes of flat colours, away from borders."""
_ON_LINE: Final = 1.5
"""Distance from the line between two class colours, in steps of 256, up to which rounding explains a mixed colour. Of
real masks, 99.9 % of the strange pixels lie so near after resizing, 68 to 85 % after JPEG."""
_OVERSHOOT: Final = 0.1
"""How far sharp filters (bicubic, Lanczos) go beyond the two colours that they mix."""
_MOST_MIXED: Final = 0.25
"""Borders are a smaller share of a mask than this; a picture with more mixed colours is no mask."""
_FEWEST_OBJECTS: Final = 8
"""Strange colours before a mask counts as one of instances."""
_MOST_TESTED: Final = 4096
"""Commonest strange colours whose distances are computed."""


@dataclass(slots=True)
class Colours:
    """The colours that masks hold, packed as R + 256 G + 65536 B."""

    pixels: dict[int, int]
    """Colour -> pixels."""
    masks: dict[int, int]
    """Colour -> masks that hold it."""
    first: dict[int, str]
    """Colour -> path of the first mask that holds it."""
    jpegs: int
    """Masks that are JPEG files."""

    def add(self, found: Mapping[int, int], path: str, *, is_jpeg: bool, most: int) -> None:
        """Add the colours of one mask; no more than ``most`` are remembered."""
        self.jpegs += is_jpeg
        for colour, pixels in found.items():
            if colour in self.pixels or len(self.pixels) < most:
                self.pixels[colour] = self.pixels.get(colour, 0) + pixels
                self.masks[colour] = self.masks.get(colour, 0) + 1
                self.first.setdefault(colour, path)

    def example(self, colour: int | None = None) -> str:
        """Return the path of a mask that holds the colour, or of the first mask."""
        return next(iter(self.first.values())) if colour is None else self.first[colour]

    def share(self, wanted: set[int], among: set[int] | None = None) -> float:
        """Return the share, 0..1, of the pixels of some colours (all by default) that have a wanted one."""
        pool = self.pixels.keys() if among is None else among
        total = sum(self.pixels[colour] for colour in pool)
        return sum(self.pixels[colour] for colour in pool if colour in wanted) / max(total, 1)


def cause_of_colours(colours: Colours, known: set[int], card: DatasetCard, layout: Layout) -> Cause | None:
    """Return what likely was done to masks with colours that no class has.

    Args:
        colours: that they hold; at least one is not known.
        known: colours of the classes and other labels.
        card: the data set.
        layout: with the paths of the right masks.
    """
    strange = set(colours.pixels) - known
    if colours.share({_reversed(colour) for colour in known}, strange) >= _MOST:
        return Cause(
            "the channels are in reverse order: blue, green, red (BGR)",
            "convert the masks to RGB, or use those published",
        )
    grey = {colour for colour in colours.pixels if _is_grey(colour)}
    if colours.share(grey) >= _MOST and not grey <= known:
        return cause_of_band(_as_band(colours, grey), card)
    if colours.jpegs:
        return Cause("the masks are JPEG files, whose colours are inexact", _AS_PUBLISHED)
    return _cause_of_places(colours, strange, known, layout)


def _cause_of_places(colours: Colours, strange: set[int], known: set[int], layout: Layout) -> Cause | None:
    """Judge by where the strange colours lie among the known ones."""
    commonest = sorted(strange, key=lambda colour: -colours.pixels[colour])[:_MOST_TESTED]
    tested, fixed = _bands(commonest), _bands(sorted(known))
    weights = np.array([colours.pixels[colour] for colour in commonest], np.float64)
    weights /= weights.sum()
    near = float(weights[_distance_to_colours(tested, fixed) <= _NEAR].sum())
    mixed = float(weights[_distance_to_lines(tested, fixed) <= _ON_LINE].sum())
    if mixed >= _MOST and colours.share(strange) <= _MOST_MIXED:
        return Cause(
            "the masks were resized or smoothed, which mixes the colours of neighbouring classes", _AS_PUBLISHED
        )
    if near >= _MOST:
        return Cause("the masks were once stored as JPEG, whose colours are inexact", _AS_PUBLISHED)
    if len(strange) >= _FEWEST_OBJECTS and near < 0.5 and mixed < 0.5:
        return Cause(
            "these look like instance masks, which have one colour for each object and not for each class",
            f"use the semantic masks: {layout.paths[-1]}",
        )
    return None


def cause_of_colour_picture(colours: Colours, known: set[int]) -> Cause | None:
    """Return what colour pictures likely are where masks of one band are expected.

    Args:
        colours: that they hold.
        known: colours of the classes and other labels.
    """
    palette = "the palette was converted to colours, or these are masks in class colours"
    remedy = "use the masks as published, whose one band holds the ids"
    if colours.share(known) >= _MOST:
        return Cause(palette, remedy)
    if colours.share({_reversed(colour) for colour in known}) >= _MOST:
        return Cause(f"{palette}, with the channels in reverse order (BGR)", remedy)
    grey = {colour for colour in colours.pixels if _is_grey(colour)}
    if colours.share(grey) >= _MOST:
        values = runs({colour & 255 for colour in grey})
        return Cause(f"their one band was written three times, with the values {values}", remedy)
    if len(colours.pixels) <= len(known) + 1:
        return Cause(f"{palette}, by another table than the card's", remedy)
    return Cause("these are pictures, not masks", remedy)


def _reversed(colour: int) -> int:
    return (colour & 0xFF) << 16 | (colour & 0xFF00) | colour >> 16


def _is_grey(colour: int) -> bool:
    return colour & 255 == colour >> 8 & 255 == colour >> 16


def _as_band(colours: Colours, grey: set[int]) -> Values:
    values = Values(np.zeros(256, np.int64), {})
    for colour in grey:
        values.pixels[colour & 255] = colours.pixels[colour]
    return values


def _bands(colours: list[int]) -> NDArray[np.float64]:
    packed = np.array(colours, np.int64)
    return np.stack([packed & 255, packed >> 8 & 255, packed >> 16], axis=1).astype(np.float64)


def _distance_to_colours(tested: NDArray[np.float64], fixed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest difference of a band from the nearest colour, (n,) of (n, 3) and (m, 3)."""
    nearest: NDArray[np.float64] = np.abs(tested[:, None] - fixed[None]).max(axis=2).min(axis=1)
    return nearest


def _distance_to_lines(tested: NDArray[np.float64], fixed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance from the nearest line between two colours, (n,) of (n, 3) and (m, 3)."""
    nearest = np.full(len(tested), np.inf)
    for number, start in enumerate(fixed):
        for end in fixed[number + 1 :]:
            along = end - start
            place = np.clip((tested - start) @ along / (along @ along), -_OVERSHOOT, 1 + _OVERSHOOT)
            distance = np.linalg.norm(tested - start - place[:, None] * along, axis=1)
            nearest = np.minimum(nearest, distance)
    return nearest
