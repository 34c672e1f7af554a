"""Noise that is drawn once and cut anew for every picture."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LAYERS", "cut"]

_SIDE: Final = 1024
LAYERS: Final = ("grain", "mottle", "patch", "broad", "wave")
"""From pixel to pixel, over a few, over some tens, over hundreds, and in ripples."""


def cut(layer: str, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a random part of a layer, turned or mirrored at random.

    Args:
        layer: one of ``LAYERS``.
        size: (height, width) in pixels, at most 1024 each.
        rng: chooses the part.

    Returns:
        (height, width) float32 of mean 0 and standard deviation 1, about.
    """
    whole = _atlas()[layer]
    if rng.random() < 0.5:
        whole = whole.T
    y, x = rng.integers(0, whole.shape[0] - size[0] + 1), rng.integers(0, whole.shape[1] - size[1] + 1)
    part: NDArray[np.float32] = whole[y : y + size[0], x : x + size[1]]
    return part[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]


@cache
def _atlas() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(20260)
    fine = rng.normal(0, 1, (_SIDE, _SIDE)).astype(np.float32)
    layers = {
        "grain": 0.8 * fine + 0.6 * _smooth(rng, 2),
        "mottle": _smooth(rng, 3) + _smooth(rng, 6),
        "patch": _smooth(rng, 14) + 0.9 * _smooth(rng, 30) + 0.5 * _smooth(rng, 7),
        "broad": _smooth(rng, 90) + 0.4 * _smooth(rng, 45),
        "wave": _ripples(rng),
    }
    return {name: (layer - layer.mean()) / layer.std() for name, layer in layers.items()}


def _smooth(rng: np.random.Generator, cell: int) -> NDArray[np.float32]:
    """Return noise whose features are ``cell`` pixels wide."""
    few = -(-_SIDE // cell) + 1
    coarse = Image.fromarray(rng.normal(0, 1, (few, few)).astype(np.float32))
    smooth: NDArray[np.float32] = np.asarray(coarse.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
    return smooth


def _ripples(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return crests that run across the wind, broken and of uneven length."""
    few = Image.fromarray(rng.normal(0, 1, (_SIDE // 3, _SIDE // 14)).astype(np.float32))
    crests: NDArray[np.float32] = np.asarray(few.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
    return crests + np.float32(0.5) * _smooth(rng, 4)
