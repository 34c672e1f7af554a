"""One scene of the mini world: a picture, and the kind of thing in each of its pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.mini.camera import Nadir, Oblique
from ovrisisbench.mini.canvas import Canvas
from ovrisisbench.mini.developing import Light, develop
from ovrisisbench.mini.places import PLACES
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.styles import Look, Style, View, load_palette, load_style
from ovrisisbench.mini.things.roads import road, straight, traffic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.mini.camera import Camera

__all__ = ["Scene", "draw_scene"]

_STREET: Final = 8.0
"""Width in metres of the streets between the places of one picture."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was drawn."""

    picture: NDArray[np.uint8]
    """(H, W, 3), 0..255; red, green, blue, or what the style has instead."""
    kinds: NDArray[np.uint8]
    """(H, W): number of the kind, as :data:`~ovrisisbench.mini.kinds.KINDS` orders them, at each pixel's centre."""
    places: tuple[str, ...]
    """What was set on the stage."""


def draw_scene(
    style: Style | str,
    seed: Sequence[int],
    *,
    places: Sequence[str] | None = None,
    size: tuple[int, int] | None = None,
    aim: float = 0.0,
) -> Scene:
    """Draw one scene; equal arguments draw equal pixels.

    Args:
        style: of a mini data set, or its key.
        seed: non-negative integers.
        places: their names, as many as the view has parcels; None to choose by the style's weights.
        size: (height, width) in pixels; None for the style's.
        aim: metres that an oblique camera has flown on over the same ground, 0 to 24.

    Raises:
        CatalogError: no such style, or a field of it is wrong.
        KeyError: no such place.
    """
    style = load_style(style) if isinstance(style, str) else style
    rng = np.random.default_rng(list(seed))
    shape = size or style.view.size
    camera = _camera(style.view, shape, rng, aim)
    light, sun = _light(style.look, rng, is_oblique=camera.is_oblique)
    canvas = Canvas(shape, camera)
    stage = Stage(canvas, rng, load_palette(), style.colours, sun, _between(style.density, rng))
    parcels = _parcels(stage, style.view.parcels)
    names = tuple(places or _chosen(style, len(parcels), rng))
    if len(parcels) > 1:
        stage.base("grass", "grass")
    for name, parcel in zip(names, parcels, strict=False):
        PLACES[name](stage, parcel)
    _streets(stage, style.view.parcels)
    stage.finish()
    if style.view.no_data and rng.random() < style.view.no_data:
        _leave_blank(canvas, rng)
    picture, kinds = develop(canvas, light, rng)
    return Scene(picture, kinds, names)


def _camera(view: View, size: tuple[int, int], rng: np.random.Generator, aim: float) -> Camera:
    turn = float(rng.uniform(0, 360))
    if view.kind == "nadir":
        assert view.gsd_m is not None  # the view's own check
        return Nadir(size, _between(view.gsd_m, rng), turn)
    assert view.altitude_m is not None
    assert view.depression is not None
    altitude, depression = _between(view.altitude_m, rng), _between(view.depression, rng)
    return Oblique(size, altitude, depression, view.field_of_view, turn, aim)


def _light(look: Look, rng: np.random.Generator, *, is_oblique: bool) -> tuple[Light, tuple[float, float]]:
    elevation = math.radians(_between(look.sun_elevation, rng))
    azimuth = math.radians(_between(look.sun_azimuth, rng))
    reach = 1 / math.tan(elevation)
    haze = _between(look.haze, rng)
    light = Light(
        brightness=_between(look.brightness, rng),
        contrast=_between(look.contrast, rng),
        saturation=_between(look.saturation, rng),
        warmth=_between(look.warmth, rng),
        haze=haze,
        shadow=_between(look.shadow, rng),
        blur=_between(look.blur, rng),
        noise=_between(look.noise, rng),
        false_colour=look.false_colour,
        weather=(0.10 + haze, 0.02, 0.0) if is_oblique else (),
    )
    return light, (reach * math.cos(azimuth), reach * math.sin(azimuth))


def _parcels(stage: Stage, count: int) -> list[Box]:
    if count == 1:
        return [stage.box]
    # Only the middle of the box is seen at every turn; corners of it may lie outside.
    side = 2 * stage.reach / count
    gap = _STREET / 2 + 1
    return [
        (
            -stage.reach + column * side + gap,
            -stage.reach + row * side + gap,
            -stage.reach + (column + 1) * side - gap,
            -stage.reach + (row + 1) * side - gap,
        )
        for row in range(count)
        for column in range(count)
    ]


def _streets(stage: Stage, count: int) -> None:
    side = 2 * stage.reach / count
    for number in range(1, count):
        place = -stage.reach + number * side
        for line in (
            straight((place, -stage.reach), (place, stage.reach)),
            straight((-stage.reach, place), (stage.reach, place)),
        ):
            road(stage, line, _STREET)
            traffic(stage, line, _STREET, 24 / max(stage.density, 0.3))


def _chosen(style: Style, count: int, rng: np.random.Generator) -> list[str]:
    names = list(style.places)
    weights = np.array([style.places[name] for name in names])
    replace = count > len(names)
    return [names[i] for i in rng.choice(len(names), count, replace=replace, p=weights / weights.sum())]


def _leave_blank(canvas: Canvas, rng: np.random.Generator) -> None:
    """Leave a wedge without data, as at the border of a mosaic."""
    height, width = canvas.size
    corner = int(rng.integers(4))
    x, y = (0.0 if corner % 2 == 0 else float(width)), (0.0 if corner < 2 else float(height))  # noqa: PLR2004
    along = width * float(rng.uniform(0.25, 0.8)) * (1 if x == 0 else -1)
    down = height * float(rng.uniform(0.25, 0.8)) * (1 if y == 0 else -1)
    canvas.fill_picture(np.array([[x, y], [x + along, y], [x, y + down]]), 0, lit=True)


def _between(span: tuple[float, float], rng: np.random.Generator) -> float:
    return float(rng.uniform(*span)) if span[0] < span[1] else span[0]
