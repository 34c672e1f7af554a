"""Label maps and scores for the tests: drawn by hypothesis, or large and seeded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


class MapPair(NamedTuple):
    """A prediction and its target, with the size of their vocabulary."""

    prediction: np.ndarray
    target: np.ndarray
    num_classes: int


@st.composite
def map_pairs(draw, max_side=20, max_classes=255):
    """Draw uint8 maps of one shape; some target pixels are ignored (255)."""
    num_classes = draw(st.integers(1, max_classes))
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=max_side))
    labels = st.integers(0, num_classes - 1)
    prediction = draw(hnp.arrays(np.uint8, shape, elements=labels))
    target = draw(hnp.arrays(np.uint8, shape, elements=labels | st.just(255)))
    return MapPair(prediction, target, num_classes)


def large_pair(num_classes, shape, seed, right=0.8):
    """Return patchy maps that agree in about ``right`` of the pixels; 6 % of the target is ignored."""
    generator = np.random.default_rng(seed)
    target = np.kron(generator.integers(0, num_classes, _coarse(shape, 16)), np.ones((16, 16)))
    other = np.kron(generator.integers(0, num_classes, _coarse(shape, 8)), np.ones((8, 8)))
    is_wrong = np.kron(generator.random(_coarse(shape, 8)) > right, np.ones((8, 8)))
    is_ignored = np.kron(generator.random(_coarse(shape, 32)) < 0.06, np.ones((32, 32)))
    height, width = shape
    target, other, is_wrong, is_ignored = (
        part[:height, :width] for part in (target, other, is_wrong.astype(bool), is_ignored.astype(bool))
    )
    prediction = np.where(is_wrong, other, target).astype(np.uint8)
    return MapPair(prediction, np.where(is_ignored, 255, target).astype(np.uint8), num_classes)


def _coarse(shape, cell):
    return tuple(-(-length // cell) for length in shape)
