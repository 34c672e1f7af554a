from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ovrisisbench.adapters.segearth_ov.config import TINY
from ovrisisbench.adapters.segearth_ov.windows import opencv, resized, sliding_cosines, window_starts
from ovrisisbench.errors import AdapterError
from tests.adapters.segearth_ov.networks import lively
from tests.adapters.segearth_ov.second_version import Plain
from tests.parity.synth import synthetic_image

cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is an extra")


@pytest.mark.parametrize("length", [1, 100, 223, 224, 225, 280, 335, 336, 337, 400, 447, 448])
def test_windows_cover_a_side_and_stay_inside(length: int) -> None:
    starts = window_starts(length, 224, 112)
    covered = np.zeros(length, dtype=bool)
    for start in starts:
        assert start >= 0
        assert start + min(224, length) <= length
        covered[start : start + 224] = True
    assert covered.all()
    assert starts[-1] + 224 >= length
    assert len(starts) == max(length - 224 + 111, 0) // 112 + 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (448, 448)),
        ((320, 512), (280, 448)),
        ((100, 37), (448, 166)),
        ((3, 900), (1, 448)),
        ((1, 900), (1, 448)),
    ],
)
def test_the_long_side_is_brought_to_448(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert resized(np.zeros((*size, 3), np.uint8), 448).shape == (*expected, 3)


def test_the_resize_is_opencvs_and_not_pillows() -> None:
    image = synthetic_image(600, 500, 0)
    ours = resized(image, 448)
    bgr = cv2.resize(np.ascontiguousarray(image[..., ::-1]), (373, 448), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(ours, bgr[..., ::-1])
    pillow = np.asarray(Image.fromarray(image).resize((373, 448), Image.Resampling.BILINEAR))
    assert np.abs(ours.astype(int) - pillow).max() > 20


def test_an_image_of_the_right_size_and_a_view_of_another_are_taken() -> None:
    image = synthetic_image(448, 200, 0)
    assert np.array_equal(resized(image, 448), image)
    view = synthetic_image(300, 400, 0)[::-1, ::2]
    assert np.array_equal(resized(view, 448), resized(view.copy(), 448))


@torch.no_grad()
@pytest.mark.parametrize("size", [(96, 96), (60, 96), (96, 71), (33, 96), (17, 96), (96, 5)])
def test_the_map_is_that_of_the_second_version(size: tuple[int, int]) -> None:
    """Windows that are shorter than 64, padded to both sides and cut back, on position tables of other grids."""
    network = lively()
    text = F.normalize(torch.randn(3, 32, generator=torch.Generator().manual_seed(0)), dim=-1)
    image = synthetic_image(*size, 4)
    ours = sliding_cosines(image, network, text)
    plain = Plain(network, TINY).cosines(image, text)
    assert ours.shape == (3, *size)
    torch.testing.assert_close(ours.double(), plain, atol=2e-5, rtol=0)


def test_without_opencv_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(AdapterError, match=r"needs the package opencv-python-headless; install it with pip install "):
        opencv()
