from __future__ import annotations

import numpy as np
import pytest

from ovrisisbench.train.hsv import hsv_from_rgb, rgb_from_hsv

cv2 = pytest.importorskip("cv2")

BYTES = np.arange(256, dtype=np.uint8)


def _plane(first: int) -> np.ndarray:
    """All pixels whose first channel is given."""
    second, third = np.meshgrid(BYTES, BYTES, indexing="ij")
    return np.stack([np.full_like(second, first), second, third], axis=-1)


def test_every_colour_becomes_opencvs_hue_saturation_and_value() -> None:
    for red in range(256):
        pixels = _plane(red)
        expected = cv2.cvtColor(np.ascontiguousarray(pixels[..., ::-1]), cv2.COLOR_BGR2HSV)
        assert np.array_equal(hsv_from_rgb(pixels), expected), red


def test_every_hue_saturation_and_value_becomes_opencvs_colour() -> None:
    for hue in range(180):
        pixels = _plane(hue)
        expected = cv2.cvtColor(pixels, cv2.COLOR_HSV2BGR)[..., ::-1]
        assert np.array_equal(rgb_from_hsv(pixels), expected), hue
