"""The colour that each class is drawn in: the publisher's, unless two classes could be taken for one another."""

from __future__ import annotations

from collections.abc import Mapping
from colorsys import hls_to_rgb
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ovrisisbench.catalog.cards import Colour, load_card
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.errors import CatalogError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.prepare.storage.manifest import Manifest

__all__ = ["OverlayColour", "colours_apart", "overlay_colours"]

_APART: Final = 0.1
"""Least distance of two classes in Oklab, where black and white are 1 apart."""
_IGNORED: Final[Colour] = (128, 128, 128)
"""Ignored pixels are hatched in grey, which no class shall look like."""


class OverlayColour(NamedTuple):
    """How one class is drawn."""

    colour: Colour
    """Red, green, blue, 0..255."""
    is_published: bool
    """False where the publisher's colour is unknown, or too close to that of an earlier class."""

    @property
    def css(self) -> str:
        """As six hex digits, ``#00003f``."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


def overlay_colours(manifest: Manifest) -> tuple[OverlayColour, ...]:
    """Choose one colour for each class, in label order.

    The installed card gives the publisher's colours; where it joins several
    of the publisher's labels in one class, the first one's. The others come
    from a fixed set of hues, each as far as possible from all that are taken.
    """
    return colours_apart(_published(manifest), len(manifest.class_names))


def colours_apart(wished: Mapping[int, Colour], count: int) -> tuple[OverlayColour, ...]:
    """Give each of ``count`` classes a colour that looks like no other.

    Args:
        wished: class index -> colour; kept unless it is too close to that of an earlier class.
        count: classes.
    """
    kept: dict[int, Colour] = {}
    for index, colour in sorted(wished.items()):
        if not kept or _distances(_oklab([*kept.values()]), colour).min() >= _APART:
            kept[index] = colour
    missing = [index for index in range(count) if index not in kept]
    substitutes = dict(zip(missing, _distinct([*kept.values(), _IGNORED], len(missing)), strict=True))
    return tuple(
        OverlayColour(kept[index], is_published=True)
        if index in kept
        else OverlayColour(substitutes[index], is_published=False)
        for index in range(count)
    )


def _published(manifest: Manifest) -> dict[int, Colour]:
    try:
        card = load_card(manifest.dataset)
        variant = card.variant(manifest.variant)
        if load_vocabulary(variant.vocabulary).class_names != manifest.class_names:
            return {}
    except CatalogError:
        return {}
    colours: dict[int, Colour] = {}
    for label in (*card.classes, *card.other_labels):
        index = variant.labels[label.name]
        if index != "ignore":
            colours.setdefault(index, label.colour)
    return colours


def _distinct(taken: list[Colour], count: int) -> list[Colour]:
    """Choose colours far from those taken and from each other: strong ones while there are any, then all others."""
    strong, candidates = _candidates()
    places = _oklab(candidates)
    nearest = np.min([_distances(places, colour) for colour in taken], axis=0)
    chosen = []
    for _ in range(count):
        best = int(nearest[:strong].argmax())
        if nearest[best] < _APART:
            best = int(nearest.argmax())
        chosen.append(candidates[best])
        nearest = np.minimum(nearest, _distances(places, candidates[best]))
    return chosen


def _candidates() -> tuple[int, list[Colour]]:
    """Return how many are strong, that is plain on any picture, and all with those first."""
    tones = ((0.5, 0.95), (0.62, 0.95), (0.38, 0.95), (0.75, 0.8), (0.28, 0.8), (0.5, 0.45), (0.85, 0.6), (0.3, 0.35))
    strong = 2 * 36
    colours = []
    for lightness, saturation in tones:
        for hue in range(0, 360, 10):
            red, green, blue = hls_to_rgb(hue / 360, lightness, saturation)
            colours.append((round(red * 255), round(green * 255), round(blue * 255)))
    return strong, colours


def _distances(places: NDArray[np.float64], colour: Colour) -> NDArray[np.float64]:
    difference = places - _oklab([colour])
    return np.asarray(np.sqrt((difference**2).sum(axis=1)), np.float64)


def _oklab(colours: list[Colour]) -> NDArray[np.float64]:
    """Turn (N, 3) sRGB into Oklab (Ottosson 2020), in which equal distances look about equal."""
    encoded = np.array(colours, np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ _TO_CONES.T)
    return np.asarray(cones @ _TO_LAB.T, np.float64)


_TO_CONES: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
