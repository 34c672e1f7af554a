"""Where bilinear resizing (``align_corners=False``) reads its two neighbours, as torch computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Taps", "bilinear_taps"]


class Taps(NamedTuple):
    """Output i is ``first_weight[i] * source[first[i]] + second_weight[i] * source[second[i]]``."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    first_weight: NDArray[np.float32]
    second_weight: NDArray[np.float32]


def bilinear_taps(source_length: int, output_length: int) -> Taps:
    """Return the taps of one axis, in float32 throughout like torch's.

    Args:
        source_length: cells, at least 1.
        output_length: pixels, at least 1.
    """
    one, half = np.float32(1), np.float32(0.5)
    scale = np.float32(source_length) / np.float32(output_length)
    position = scale * (np.arange(output_length, dtype=np.float32) + half) - half
    position = np.maximum(position, np.float32(0))
    first = np.minimum(position.astype(np.int64), source_length - 1)
    second = np.minimum(first + 1, source_length - 1)
    second_weight = np.clip(position - first.astype(np.float32), np.float32(0), one)
    return Taps(first, second, one - second_weight, second_weight)
