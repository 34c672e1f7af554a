"""From a canvas to the picture of one sensor: surfaces, shadows, haze, optics and noise; and to the map of kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageFilter

from ovrisisbench.mini.canvas import FINER, Canvas
from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.materials import infrared, material_index, material_table
from ovrisisbench.mini.textures import cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Light", "develop"]

_SKY: Final = np.array([172, 186, 205], np.float32)
_SHALLOW: Final = {"water": (10.0, 14.0, 6.0), "sea": (26.0, 40.0, 26.0)}
"""What is added to water right at its shore."""
_SHORE: Final = 14
"""Pixels over which it fades out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How one picture was taken."""

    brightness: float
    """Factor of all bands."""
    contrast: float
    saturation: float
    """0 is grey, 1 as painted."""
    warmth: float
    """Added to red and taken from blue, 0..255."""
    haze: float
    """Share of the sky's light in the picture."""
    shadow: float
    """Share of the light that a shadow takes."""
    blur: float
    """Standard deviation of the optics' blur in pixels."""
    noise: float
    """Standard deviation of the sensor's noise, 0..255."""
    false_colour: bool
    """Bands are near infrared, red, green."""
    weather: tuple[float, ...] = ()
    """Share of haze added from the upper border (first) to the lower one (last), for oblique views."""


def develop(canvas: Canvas, light: Light, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the picture (H, W, 3) uint8 and the map of kinds (H, W) uint8.

    The kind of a pixel is that of the sample at its centre; its colour is the mean of all its samples.

    Args:
        canvas: everything painted.
        light: how the picture is taken.
        rng: for textures and noise.
    """
    colours, kinds, materials = canvas.tables()
    paints, shadows = canvas.samples()
    size = canvas.size
    bands = colours
    if light.false_colour:
        bands = np.stack([infrared(colours, materials), colours[:, 0], colours[:, 1]], axis=1)
    fine = Image.fromarray(np.clip(bands, 0, 255).astype(np.uint8)[paints])
    picture = np.asarray(fine.reduce(FINER)).astype(np.float32)
    centres = paints[FINER // 2 :: FINER, FINER // 2 :: FINER]
    surface = materials[centres]

    picture *= _relief(surface, size, rng)[..., None]
    picture += _tints(surface, size, light, rng)
    picture += _shallows(surface, light)
    dark = np.asarray(shadows.filter(ImageFilter.GaussianBlur(1.6)).reduce(FINER)).astype(np.float32) / 255
    picture *= 1 - (light.shadow * dark)[..., None] * np.array([1.0, 0.97, 0.88], np.float32)
    picture *= 1 + 0.045 * cut("broad", size, rng)[..., None]
    picture = _graded(picture, light)
    taken, kind = _taken(picture, light, rng), kinds[centres]
    taken[kind == kind_index("no data")] = 0
    return taken, kind


def _relief(surface: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    relief = np.ones(size, np.float32)
    for layer in ("grain", "mottle", "patch", "wave"):
        relief += material_table(layer)[surface] * cut(layer, size, rng)
    return np.clip(relief, 0.45, 1.7)


def _tints(
    surface: NDArray[np.uint8], size: tuple[int, int], light: Light, rng: np.random.Generator
) -> NDArray[np.float32]:
    table = material_table("tint")
    if light.false_colour:
        table = np.stack([table.mean(axis=1), table[:, 0], table[:, 1]], axis=1)
    leaning = cut("patch", size, rng) * 0.6 + cut("broad", size, rng) * 0.8
    tints: NDArray[np.float32] = table[surface] * leaning[..., None]
    return tints


def _shallows(surface: NDArray[np.uint8], light: Light) -> NDArray[np.float32] | float:
    wet = {name: surface == material_index(name) for name in _SHALLOW}
    if not any(mask.any() for mask in wet.values()):
        return 0.0
    dry = Image.fromarray((~(wet["water"] | wet["sea"])).astype(np.uint8) * np.uint8(255))
    near = np.asarray(dry.filter(ImageFilter.GaussianBlur(_SHORE / 2))).astype(np.float32) / 127
    total = np.zeros((*surface.shape, 3), np.float32)
    for name, mask in wet.items():
        added = np.array(_SHALLOW[name], np.float32) * ((0.25, 0.6, 0.7) if light.false_colour else 1.0)
        total += (mask * np.minimum(near, 1.0))[..., None] * added
    return total


def _graded(picture: NDArray[np.float32], light: Light) -> NDArray[np.float32]:
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + (picture - grey) * light.saturation
    picture = (picture - 118) * light.contrast + 118 * light.brightness + (light.brightness - 1) * 30
    return picture + np.array([light.warmth, 0.0, -light.warmth], np.float32)


def _taken(picture: NDArray[np.float32], light: Light, rng: np.random.Generator) -> NDArray[np.uint8]:
    haze = np.full((picture.shape[0], 1, 1), light.haze, np.float32)
    if light.weather:
        rows = np.linspace(0, len(light.weather) - 1, picture.shape[0])
        haze[:, 0, 0] += np.interp(rows, np.arange(len(light.weather)), light.weather)
    picture = picture * (1 - haze) + _SKY * haze
    if light.blur:
        seen = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        picture = np.asarray(seen.filter(ImageFilter.GaussianBlur(light.blur))).astype(np.float32)
    if light.noise:
        shared, own = light.noise * 0.8, light.noise * 0.6
        picture = picture + rng.standard_normal(picture.shape[:2], np.float32)[..., None] * shared
        picture = picture + rng.standard_normal(picture.shape, np.float32) * own
    taken: NDArray[np.uint8] = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    return taken
