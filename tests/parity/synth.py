"""Checkpoints and images that are made by rule, so that no trained weights are needed.

A parity case names every tensor of an official checkpoint with its shape and
its kind. Its values follow from the name and the case's seed: a stretch of one
fixed stream of normal deviates, scaled by kind. The official implementation
was run on such checkpoints, and what it computed was recorded.
"""

from __future__ import annotations

import math
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

__all__ = ["synthetic_image", "synthetic_tensor"]

Floats = NDArray[np.float32]

# NumPy has frozen the legacy generator, so these numbers are the same everywhere and for ever; the length is a prime.
STREAM: Floats = np.random.RandomState(0).standard_normal(1_048_583).astype(np.float32)


def synthetic_tensor(name: str, shape: tuple[int, ...], kind: str, seed: int) -> Floats:
    """Return the value of one tensor, float32.

    Args:
        name: its key in the checkpoint.
        shape: its shape; () for a single number.
        kind: ``weight`` (deviation 1 / sqrt(fan-in)), ``norm`` (1 + 0.1 x),
            ``bias`` (0.1 x), ``embedding`` (0.3 x), ``positive`` (1 + 0.1 |x|),
            or ``const:VALUE``.
        seed: the seed of the case.
    """
    if kind.startswith("const:"):
        return np.full(shape, float(kind.removeprefix("const:")), dtype=np.float32)
    x = _stretch(name, math.prod(shape), seed).reshape(shape)
    if kind == "weight":
        fan_in = max(1, x.size // shape[0])
        value = x / np.float32(math.sqrt(fan_in))
    elif kind == "norm":
        value = np.float32(1) + np.float32(0.1) * x
    elif kind == "positive":
        value = np.float32(1) + np.float32(0.1) * np.abs(x)
    else:
        value = np.float32({"bias": 0.1, "embedding": 0.3}[kind]) * x
    return np.asarray(value, dtype=np.float32)


def _stretch(name: str, count: int, seed: int) -> Floats:
    """``count`` numbers of the stream, from a place given by name and seed, going round at the end."""
    digest = blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    start = int.from_bytes(digest, "little") % len(STREAM)
    if start + count <= len(STREAM):
        return STREAM[start : start + count]
    return np.resize(np.concatenate([STREAM[start:], STREAM[:start]]), count)


def synthetic_image(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Return an RGB image (height, width, 3) uint8: blocks of three sizes under one grating for each channel."""
    draw = np.random.RandomState(seed).rand
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    image = np.zeros((height, width, 3))
    for side in (96, 32, 8):
        blocks = draw(height // side + 1, width // side + 1, 3)
        image += blocks[rows // side, columns // side] * 60.0
    for channel in range(3):
        fy, fx = draw(2) * 0.4
        image[..., channel] += 30.0 * (1.0 + np.sin(fy * rows.astype(float) + fx * columns.astype(float) + channel))
    return np.clip(np.floor(image), 0, 255).astype(np.uint8)
