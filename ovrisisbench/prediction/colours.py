"""The colour of each class: the one that a data set gives to a class of that name, else one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from ovrisisbench.catalog import load_card
from ovrisisbench.catalog.cards import Colour
from ovrisisbench.prepare.contact_sheet.overlay_colours import colours_apart

__all__ = ["class_colours"]

_LEGENDS: Final = ("vdd", "uavid", "loveda", "dlrsd")
"""Data sets whose colours are easy on a picture, the first that knows a name decides."""


def class_colours(class_names: Sequence[str]) -> tuple[Colour, ...]:
    """Return one colour for each class, all of them easy to tell apart.

    Example:
        >>> class_colours(["water", "solar panel"])
        ((0, 0, 128), (249, 249, 6))
    """
    known = _known_colours()
    wished = {index: known[_plain(name)] for index, name in enumerate(class_names) if _plain(name) in known}
    return tuple(chosen.colour for chosen in colours_apart(wished, len(class_names)))


@cache
def _known_colours() -> dict[str, Colour]:
    found: dict[str, Colour] = {}
    for key in _LEGENDS:
        card = load_card(key)
        for label in card.classes:
            found.setdefault(_plain(label.name), label.colour)
    return found


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", " ").removesuffix("s")
