"""How images get into the models of the CAT-Seg family: Detectron2's test mapper, then CLIP's normalisation."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

__all__ = ["as_pixels", "mapped", "mapped_size", "normalised", "padded"]

_SHORT_SIDE = 640
_LONG_SIDE = 2560
_DIVISOR = 32
_MEAN = (122.7709383, 116.7460125, 104.09373615)
_STD = (68.5005327, 66.6321579, 70.3231630)


def mapped_size(height: int, width: int) -> tuple[int, int]:
    """Return the size to which the test mapper resizes: short side 640, but no side above 2560.

    Example:
        >>> mapped_size(512, 512), mapped_size(240, 425), mapped_size(500, 100)
        ((640, 640), (640, 1133), (2560, 512))
    """
    scale = _SHORT_SIDE / min(height, width)
    new = [_SHORT_SIDE, scale * width] if height < width else [scale * height, _SHORT_SIDE]
    if max(new) > _LONG_SIDE:
        shrink = _LONG_SIDE / max(new)
        new = [side * shrink for side in new]
    return max(1, int(new[0] + 0.5)), max(1, int(new[1] + 0.5))


def mapped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize an RGB image (H, W, 3) as the test mapper does: Pillow's bilinear filter on uint8.

    The filter is antialiased where it shrinks, and rounds to whole grey
    values; a resize of floats differs by up to 1 % of the logits.
    """
    height, width = mapped_size(*image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def as_pixels(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return an image (H, W, 3) as (1, 3, H, W) float32 in 0..255."""
    return torch.tensor(image, device=device).permute(2, 0, 1)[None].float()


def normalised(pixels: Tensor) -> Tensor:
    """Normalise (B, 3, H, W) pixels in 0..255 with CLIP's mean and deviation; all encoders take the same."""
    mean, std = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (_MEAN, _STD))
    return (pixels - mean) / std


def padded(images: Tensor) -> Tensor:
    """Pad normalised images with zeros, right and bottom, to multiples of 32."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % _DIVISOR, 0, -height % _DIVISOR))
