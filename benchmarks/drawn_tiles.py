"""Seeded label maps and score maps that look like a model's, for the benchmarks."""

from __future__ import annotations

import numpy as np

__all__ = ["label_tiles", "score_tiles"]


def label_tiles(count: int, num_classes: int, side: int) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Return (prediction, target, K): patchy uint8 maps, about 80 % right, about 6 % ignored."""
    return [_label_tile(seed, num_classes, side) for seed in range(count)]


def score_tiles(count: int, num_classes: int, cells: int, size: tuple[int, int]) -> list[tuple]:
    """Return (scores, size): (K, cells, cells) float32, smooth with a little noise."""
    tiles = []
    for seed in range(count):
        generator = np.random.default_rng(seed)
        coarse = generator.standard_normal((num_classes, -(-cells // 8), -(-cells // 8)), dtype=np.float32)
        smooth = _blurred(np.kron(coarse, np.ones((8, 8), np.float32))[:, :cells, :cells])
        noise = generator.standard_normal(smooth.shape, dtype=np.float32)
        tiles.append((smooth + np.float32(0.1) * noise, size))
    return tiles


def _label_tile(seed: int, num_classes: int, side: int) -> tuple[np.ndarray, np.ndarray, int]:
    generator = np.random.default_rng(seed)

    def patches(cell: int, values: np.ndarray) -> np.ndarray:
        return np.kron(values, np.ones((cell, cell), values.dtype))[:side, :side]

    def cells(cell: int) -> tuple[int, int]:
        return (-(-side // cell), -(-side // cell))

    target = patches(16, generator.integers(0, num_classes, cells(16), dtype=np.uint8))
    other = patches(8, generator.integers(0, num_classes, cells(8), dtype=np.uint8))
    is_wrong = patches(8, (generator.random(cells(8)) < 0.2).astype(np.uint8)).astype(bool)
    is_ignored = patches(32, (generator.random(cells(32)) < 0.06).astype(np.uint8)).astype(bool)
    prediction = np.where(is_wrong, other, target)
    return prediction, np.where(is_ignored, np.uint8(255), target), num_classes


def _blurred(planes: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        for _ in range(4):
            planes = (np.roll(planes, 1, axis) + planes + np.roll(planes, -1, axis)) / np.float32(3)
    return planes
