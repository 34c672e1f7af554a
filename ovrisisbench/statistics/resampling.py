"""The bootstrap over scenes: the same draws whatever the chunks, the machine or the model.

A resample draws S of S scenes with replacement. How often each was drawn is a
row of weights, and weights (B, S) times sums (S, 3 K) are the sums of B
resamples. All are whole numbers below 2**53, so the products are exact and no
library's order of summation shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import EvaluationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RESAMPLES", "SEED", "resampled_sums", "weight_chunks"]

RESAMPLES = 2000
SEED = 0
"""What is drawn when nobody asks for anything else."""

_CHUNK_CELLS = 2_000_000
"""Weights at a time: 16 MB, and as much again for the draws."""


def weight_chunks(
    scenes: int, *, resamples: int = RESAMPLES, seed: int = SEED, stream: int = 0, cells: int = _CHUNK_CELLS
) -> Iterator[NDArray[np.float64]]:
    """Draw scenes with replacement; the same numbers for every size of chunk.

    Args:
        scenes: S.
        resamples: B.
        seed: any non-negative integer.
        stream: data sets that are resampled independently have different streams of one seed.
        cells: upper bound of the weights in one chunk (at least one resample is in each).

    Yields:
        (b, S) whole numbers, each row summing to S; B rows in all.

    Raises:
        EvaluationError: no scenes, no resamples, or a negative seed.
    """
    if scenes < 1 or resamples < 1 or seed < 0:
        raise EvaluationError(
            f"Cannot draw {resamples} resamples of {scenes} scenes with seed {seed}: "
            "give at least one of each and a seed of 0 or more."
        )
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream,)))
    rows = max(1, cells // scenes)
    for first in range(0, resamples, rows):
        size = min(rows, resamples - first)
        drawn = generator.integers(0, scenes, size=(size, scenes))
        drawn += np.arange(size)[:, None] * scenes
        yield np.bincount(drawn.ravel(), minlength=size * scenes).reshape(size, scenes).astype(np.float64)


def resampled_sums(
    scenes: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = SEED, stream: int = 0
) -> NDArray[np.float64]:
    """Return the sums of every resample.

    Args:
        scenes: (S, C) whole numbers, one row a scene.
        resamples: B.
        seed: of the draws.
        stream: see :func:`weight_chunks`.

    Returns:
        (B, C).
    """
    chunks = weight_chunks(len(scenes), resamples=resamples, seed=seed, stream=stream)
    return np.concatenate([weights @ scenes for weights in chunks])
