"""One scene of the mini world: a picture, and the kind of thing in each of its pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.mini.camera import Nadir, Oblique
from ovrisisbench.mini.canvas import Canvas
from ovrisisbench.mini.developing import Light, develop
from ovrisisbench.mini.places import PLACES
from ovrisisbench.mini.stage import Stage
from ovrisisbench.mini.styles import Look, NadirView, ObliqueView, Style, load_palette, load_style

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.mini.camera import Camera

__all__ = ["Scene", "draw_scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What was drawn."""

    picture: NDArray[np.uint8]
    """(H, W, 3), 0..255; red, green, blue, or what the style has instead."""
    kinds: NDArray[np.uint8]
    """(H, W): number of the kind, as :data:`~ovrisisbench.mini.kinds.KINDS` orders them, at each pixel's centre."""
    place: str
    """What was set on the stage."""


def draw_scene(
    style: Style | str,
    seed: Sequence[int],
    *,
    place: str | None = None,
    size: tuple[int, int] | None = None,
    aim: float = 0.0,
) -> Scene:
    """Draw one scene; equal arguments draw equal pixels.

    Args:
        style: of a mini data set, or its key.
        seed: non-negative integers.
        place: name of one in :data:`~ovrisisbench.mini.places.PLACES`; None to choose by the style's weights.
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
    name = place or _chosen(style, rng)
    PLACES[name](stage, stage.box)
    stage.finish()
    if isinstance(style.view, NadirView) and rng.random() < style.view.no_data:
        _leave_blank(canvas, rng)
    picture, kinds = develop(canvas, light, rng)
    return Scene(picture, kinds, name)


def _camera(view: NadirView | ObliqueView, size: tuple[int, int], rng: np.random.Generator, aim: float) -> Camera:
    turn = float(rng.uniform(0, 360))
    if isinstance(view, NadirView):
        return Nadir(size, _between(view.gsd_m, rng), turn)
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


def _chosen(style: Style, rng: np.random.Generator) -> str:
    weights = np.array(list(style.places.values()))
    return str(rng.choice(list(style.places), p=weights / weights.sum()))


def _leave_blank(canvas: Canvas, rng: np.random.Generator) -> None:
    """Leave a wedge without data, as at the border of a mosaic."""
    height, width = canvas.size
    corner = int(rng.integers(4))
    x, y = (0.0 if corner % 2 == 0 else float(width)), (0.0 if corner < 2 else float(height))
    along = width * float(rng.uniform(0.25, 0.8)) * (1 if x == 0 else -1)
    down = height * float(rng.uniform(0.25, 0.8)) * (1 if y == 0 else -1)
    canvas.fill_picture(np.array([[x, y], [x + along, y], [x, y + down]]), 0, lit=True)


def _between(span: tuple[float, float], rng: np.random.Generator) -> float:
    return float(rng.uniform(*span)) if span[0] < span[1] else span[0]
