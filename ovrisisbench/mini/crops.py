"""Small random crops with what is visible in them, many to a drawn scene, for training on captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.mini.kinds import KINDS
from ovrisisbench.mini.places import PLACES
from ovrisisbench.mini.scene import Scene, draw_scene
from ovrisisbench.mini.styles import NadirView, load_style, style_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Crop", "crops"]

_TO_A_SCENE: Final = 8
_SIDE_OF_A_SCENE: Final = 3.2
"""Side of a scene seen from above, as a multiple of that of a crop."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a scene."""

    picture: NDArray[np.uint8]
    """(size, size, 3), 0..255; near infrared, red, green where the style is in false colour."""
    kinds: NDArray[np.uint8]
    """(size, size): numbers of the kinds, in the order of :data:`~ovrisisbench.mini.kinds.KINDS`."""
    shares: dict[str, float]
    """Kind -> share of the pixels, largest first; kinds that are not visible are left out."""
    style: str
    """Key of the mini data set whose style it has."""
    place: str
    """Name of the place that the scene shows."""


def crops(
    *, seed: int, count: int, size: int = 96, styles: Sequence[str] | None = None, places: Sequence[str] | None = None
) -> Iterator[Crop]:
    """Yield random crops of random styles and places; equal arguments yield equal crops.

    Eight crops are cut out of one drawn scene, turned by quarters and mirrored at random; scenes take turns, so
    that consecutive crops differ. None of the scenes is one of the mini data sets.

    Args:
        seed: non-negative.
        count: how many.
        size: side in pixels, 32..256.
        styles: keys to choose from; None for all eight.
        places: names to choose from; None for all places, whatever the style's own are.

    Raises:
        CatalogError: no such style.
        ValueError: a size out of range.
    """
    if not 32 <= size <= 256:
        raise ValueError(f"size is {size}, but crops have a side of 32 to 256 pixels")
    rng = np.random.default_rng([_OWN_WORLD, seed])
    keys, names = list(styles or style_names()), list(places or PLACES)
    scenes: list[tuple[Scene, str, str]] = []
    for number in range(count):
        if number % (_TO_A_SCENE * _AT_ONCE) == 0:
            scenes = [_scene(rng, keys, names, size, seed) for _ in range(min(_AT_ONCE, count - number))]
        scene, key, name = scenes[number % len(scenes)]
        yield _cut(scene, key, name, size, rng)


_AT_ONCE: Final = 8
"""Scenes that take turns."""
_OWN_WORLD: Final = 7_919
"""Begins every seed, so that no scene of a data set is drawn."""


def _scene(
    rng: np.random.Generator, keys: Sequence[str], names: Sequence[str], size: int, seed: int
) -> tuple[Scene, str, str]:
    key, name = str(rng.choice(keys)), str(rng.choice(names))
    style = load_style(key)
    if isinstance(style.view, NadirView):
        shape = (round(size * _SIDE_OF_A_SCENE),) * 2
        style = style.model_copy(update={"view": style.view.model_copy(update={"no_data": 0.0})})
    else:
        shape = (max(style.view.size[0], size), max(style.view.size[1], size))
    scene = draw_scene(style, (_OWN_WORLD, seed, int(rng.integers(2**31))), place=name, size=shape)
    return scene, key, name


def _cut(scene: Scene, key: str, name: str, size: int, rng: np.random.Generator) -> Crop:
    height, width = scene.kinds.shape
    y, x = int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1))
    picture, kinds = (array[y : y + size, x : x + size] for array in (scene.picture, scene.kinds))
    turns = int(rng.integers(4)) if height == width else 0  # an oblique view has an up and a down
    picture, kinds = np.rot90(picture, turns), np.rot90(kinds, turns)
    if rng.random() < 0.5:
        picture, kinds = picture[:, ::-1], kinds[:, ::-1]
    pixels = np.bincount(kinds.ravel(), minlength=len(KINDS))
    order = np.argsort(-pixels, kind="stable")
    all_kinds = list(KINDS)
    shares = {all_kinds[index]: float(pixels[index]) / kinds.size for index in order if pixels[index]}
    return Crop(np.ascontiguousarray(picture), np.ascontiguousarray(kinds), shares, key, name)
