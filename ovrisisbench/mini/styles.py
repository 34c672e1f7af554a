"""How each mini data set looks and what it calls things: one YAML file each in ``splits/mini``."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ovrisisbench.catalog.cards import load_card
from ovrisisbench.catalog.yaml_files import CatalogModel, installed_files, load_yaml
from ovrisisbench.errors import CatalogError, did_you_mean
from ovrisisbench.mini.kinds import KINDS
from ovrisisbench.mini.materials import MATERIALS
from ovrisisbench.mini.places import PLACES

__all__ = ["Look", "NadirView", "ObliqueView", "Palette", "Style", "load_palette", "load_style", "style_names"]

Span = Annotated[tuple[float, float], Field(description="least and largest")]
"""Least and largest value; each picture draws its own from between."""
Size = tuple[Annotated[int, Field(ge=48, le=1024)], Annotated[int, Field(ge=48, le=1024)]]
"""(height, width) of a picture in pixels."""
_Byte = Annotated[int, Field(ge=0, le=255)]
_Colours = tuple[tuple[_Byte, _Byte, _Byte], ...]


class NadirView(CatalogModel):
    """Pictures taken straight from above, without perspective, as orthophotos are."""

    kind: Literal["nadir"]
    size: Size
    gsd_m: Span
    """Metres a pixel."""
    no_data: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the pictures with a corner without data."""


class ObliqueView(CatalogModel):
    """Pictures taken at an angle from a drone, with perspective."""

    kind: Literal["oblique"]
    size: Size
    altitude_m: Span
    """Metres above the ground."""
    depression: Span
    """Degrees below the horizon; 90 looks straight down."""
    field_of_view: Annotated[float, Field(gt=5, lt=120)]
    """Degrees from the left to the right border."""


class Look(CatalogModel):
    """Light, optics and sensor; every picture draws its values from these spans."""

    brightness: Span = (0.96, 1.06)
    contrast: Span = (0.95, 1.1)
    saturation: Span = (0.9, 1.05)
    warmth: Span = (-4.0, 4.0)
    haze: Span = (0.0, 0.05)
    shadow: Span = (0.45, 0.6)
    blur: Span = (0.3, 0.6)
    noise: Span = (1.5, 3.5)
    sun_elevation: Span = (38.0, 60.0)
    """Degrees."""
    sun_azimuth: Span = (0.0, 360.0)
    """Degrees in the picture from x towards y, in which shadows fall."""
    false_colour: bool = False
    """Bands are near infrared, red, green."""


class Style(CatalogModel):
    """One mini data set: view, look, what its places are, and what it calls the kinds of things."""

    format: Literal[1]
    key: str
    """Of the data-set card."""
    summary: str
    """What is its own about it, in a sentence."""
    view: Annotated[NadirView | ObliqueView, Field(discriminator="kind")]
    look: Look
    density: Span
    """How full places are, as a share."""
    places: dict[str, Annotated[float, Field(gt=0)]]
    """Place -> weight among the pictures; see :mod:`ovrisisbench.mini.places`."""
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Word in the publisher's folder or file names -> places that it stands for; none: names say nothing of places."""
    colours: dict[str, _Colours] = Field(default_factory=dict)
    """Colours that differ from those of the palette."""
    labels: dict[str, tuple[str, ...]]
    """The publisher's class name -> kinds of things that it is given to."""

    @model_validator(mode="after")
    def _maps_every_kind_once(self) -> Style:
        mapped = [kind for kinds in self.labels.values() for kind in kinds]
        odd = sorted({kind for kind in mapped if mapped.count(kind) > 1} | set(mapped) ^ set(KINDS))
        if odd:
            raise ValueError(f"labels: must name every kind of the mini world once; see {odd}")
        return self

    def labels_of_kinds(self) -> tuple[str, ...]:
        """Return the publisher's class name for each kind of things, in the order of the kinds' numbers."""
        label_of = {kind: label for label, kinds in self.labels.items() for kind in kinds}
        return tuple(label_of[kind] for kind in KINDS)


class Palette(CatalogModel):
    """The colours and materials that things have where a style does not say otherwise."""

    format: Literal[1]
    colours: dict[str, _Colours]
    """Name -> colours, of which each thing takes one."""
    materials: dict[str, str]
    """Name of a colour -> material; ``plain`` for one that is not listed."""

    @model_validator(mode="after")
    def _knows_its_names(self) -> Palette:
        odd = sorted(set(self.materials) - set(self.colours)) + sorted(set(self.materials.values()) - set(MATERIALS))
        if odd:
            raise ValueError(f"materials: no such colour or material: {odd}")
        return self


def style_names() -> list[str]:
    """Return the keys of all mini data sets, sorted."""
    return [name for name in installed_files("mini") if name.startswith("mini-")]


@cache
def load_palette() -> Palette:
    """Read the palette.

    Raises:
        CatalogError: a field of it is wrong.
    """
    return load_yaml(installed_files("mini")["palette"], Palette)


@cache
def load_style(key: str) -> Style:
    """Read the style of one mini data set and check it against its card.

    Raises:
        CatalogError: there is no such data set, or a field of its style is wrong.
    """
    names = style_names()
    if key not in names:
        hint = did_you_mean(key, names)
        raise CatalogError(f"There is no mini data set '{key}'; known are {', '.join(names)}.{hint}")
    where = installed_files("mini")[key]
    style = load_yaml(where, Style)
    card = load_card(key)
    known = {label.name for label in (*card.classes, *card.other_labels)}
    if style.key != key:
        raise CatalogError(f"{where}: field 'key': is '{style.key}', but the file is named '{key}.yaml'.")
    for field, strange in (
        ("labels", set(style.labels) - known),
        ("colours", set(style.colours) - set(load_palette().colours)),
        ("places", set(style.places) - set(PLACES)),
        ("words", {place for places in style.words.values() for place in places} - set(PLACES)),
    ):
        if strange:
            raise CatalogError(f"{where}: field '{field}': does not know {', '.join(sorted(strange))}.")
    return style
