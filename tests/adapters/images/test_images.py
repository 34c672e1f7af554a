from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ovrisisbench.adapters.images.mapper import mapped, mapped_size
from ovrisisbench.adapters.images.pixels import as_pixels, normalised, padded
from tests.parity.synth import synthetic_image

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((256, 256), (640, 640)),
        ((512, 512), (640, 640)),
        ((240, 425), (640, 1133)),
        ((768, 960), (640, 800)),
        ((500, 100), (2560, 512)),
        ((2160, 3840), (640, 1138)),
        ((3000, 4000), (640, 853)),
    ],
)
def test_sizes_are_those_of_the_official_mapper(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert mapped_size(*size) == expected


@given(st.integers(1, 6000), st.integers(1, 6000))
def test_no_size_breaks_the_limits_or_vanishes(height: int, width: int) -> None:
    size = mapped_size(height, width)
    assert 1 <= min(size) <= 640
    assert max(size) <= 2560
    assert mapped_size(width, height) == size[::-1]


@pytest.mark.parametrize("size", [(64, 64), (700, 900)])
def test_the_resize_is_pillows_on_uint8(size: tuple[int, int]) -> None:
    image = synthetic_image(*size, seed=3)
    height, width = mapped_size(*size)
    resized = mapped(image)
    assert resized.dtype == np.uint8
    assert resized.shape == (height, width, 3)
    assert np.array_equal(resized, np.asarray(Image.fromarray(image).resize((width, height), Image.BILINEAR)))


def test_pixels_are_normalised_in_rgb_order() -> None:
    pixels = as_pixels(np.array([[[122, 116, 104]]], dtype=np.uint8), CPU)
    assert pixels.dtype == torch.float32
    expected = [(122 - 122.7709383) / 68.5005327, (116 - 116.7460125) / 66.6321579, (104 - 104.09373615) / 70.3231630]
    assert normalised(pixels)[0, :, 0, 0].tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 1133), (640, 1152)), ((640, 640), (640, 640)), ((1, 33), (32, 64))]
)
def test_padding_is_zeros_at_right_and_bottom(size: tuple[int, int], expected: tuple[int, int]) -> None:
    images = padded(torch.ones(1, 3, *size))
    assert images.shape == (1, 3, *expected)
    assert images[..., : size[0], : size[1]].all()
    assert images.sum() == 3 * size[0] * size[1]


def test_a_read_only_image_is_taken() -> None:
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    image.flags.writeable = False
    assert as_pixels(image, CPU).shape == (1, 3, 4, 4)
