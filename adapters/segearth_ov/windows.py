"""From an image to windows and back to one map: mmsegmentation's test pipeline with ``forward_slide``."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapters.images.pixels import as_pixels, normalised
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.segearth_ov.network import SegEarthOV
from ovrisisbench.errors import AdapterError

__all__ = ["opencv", "resized", "sliding_cosines", "window_starts"]

_MEAN = (122.771, 116.746, 104.094)
_STD = (68.501, 66.632, 70.323)
"""CLIP's own numbers times 255, as the official configuration rounds them."""


def opencv() -> ModuleType:
    """Import OpenCV.

    Raises:
        AdapterError: it is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise AdapterError(
            "SegEarth-OV needs the package opencv-python-headless; "
            "install it with pip install 'ovrisisbench[segearth-ov]'."
        ) from error
    return cv2


def resized(image: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    """Bring the long side of an image (H, W, 3) to a length, keeping the aspect ratio: OpenCV's bilinear, uint8.

    It is not antialiased; Pillow's bilinear gives visibly different pixels
    where it shrinks.
    """
    cv2 = opencv()
    factor = long_side / max(image.shape[:2])
    height, width = (max(1, int(side * factor + 0.5)) for side in image.shape[:2])
    if (height, width) == image.shape[:2]:
        return image
    return np.asarray(cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=cv2.INTER_LINEAR))


def window_starts(length: int, window: int, stride: int) -> list[int]:
    """Return where the windows along one side begin; one that would pass the end is moved back inside.

    Example:
        >>> window_starts(448, 224, 112), window_starts(280, 224, 112), window_starts(100, 224, 112)
        ([0, 112, 224], [0, 56], [0])
    """
    count = max(length - window + stride - 1, 0) // stride + 1
    return [max(min(index * stride, length - window), 0) for index in range(count)]


def sliding_cosines(image: NDArray[np.uint8], network: SegEarthOV, text: Tensor, trace: Trace | None = None) -> Tensor:
    """Compare an image with every query, window by window.

    A side that is shorter than a window is not enlarged: the window is padded
    with zeros, evenly to both sides, until patches fill it, and the padding is
    cut off the result.

    Args:
        image: (H, W, 3) uint8, RGB.
        network: the network.
        text: unit-norm queries (N, C).
        trace: sees what happens inside; names of single windows are called once for each.

    Returns:
        (N, h, w) float32, cosines less a share of the class token's; the size is that of the resized image.
    """
    config = network.config
    pixels = normalised(as_pixels(resized(image, config.long_side), text.device), _MEAN, _STD)[0]
    height, width = pixels.shape[1:]
    size = (min(height, config.window), min(width, config.window))
    corners = [
        (top, left)
        for top in window_starts(height, config.window, config.stride)
        for left in window_starts(width, config.window, config.stride)
    ]
    windows = torch.stack([pixels[:, top : top + size[0], left : left + size[1]] for top, left in corners])
    above, below = _margins(size[0], config.clip.patch)
    before, behind = _margins(size[1], config.clip.patch)
    windows = F.pad(windows, (before, behind, above, below))
    tokens = network.tokens(windows)
    if trace:
        trace("windows", windows)
        trace("tokens", tokens)
    total = pixels.new_zeros(height, width, len(text))
    count = pixels.new_zeros(height, width, 1)
    for (top, left), window, of_window in zip(corners, windows, tokens, strict=True):
        cosines = network.cosines(of_window, window, text, trace)
        place = (slice(top, top + size[0]), slice(left, left + size[1]))
        total[place] += cosines[above : above + size[0], before : before + size[1]]
        count[place] += 1
    return (total / count).permute(2, 0, 1)


def _margins(length: int, patch: int) -> tuple[int, int]:
    """Zeros before and behind a side until patches fill it; the odd one stands behind."""
    missing = -length % patch
    return missing // 2, missing - missing // 2
