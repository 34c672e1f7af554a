"""From pixels to the tensor that an encoder takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["CLIP_MEAN", "CLIP_STD", "IMAGENET_MEAN", "IMAGENET_STD", "as_pixels", "normalised", "padded", "squeezed"]

CLIP_MEAN = (122.7709383, 116.7460125, 104.09373615)
CLIP_STD = (68.5005327, 66.6321579, 70.3231630)
"""CLIP's own numbers times 255, RGB."""

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)

_DIVISOR = 32


def as_pixels(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return an image (H, W, 3) as (1, 3, H, W) float32 in 0..255."""
    return torch.tensor(image, device=device).permute(2, 0, 1)[None].float()


def normalised(pixels: Tensor, mean: Sequence[float] = CLIP_MEAN, std: Sequence[float] = CLIP_STD) -> Tensor:
    """Normalise (B, 3, H, W) pixels in 0..255, by default with CLIP's mean and deviation."""
    centre, spread = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (mean, std))
    return (pixels - centre) / spread


def padded(images: Tensor) -> Tensor:
    """Pad normalised images with zeros, right and bottom, to multiples of 32."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % _DIVISOR, 0, -height % _DIVISOR))


def squeezed(images: Tensor, side: int) -> Tensor:
    """Resize (B, C, H, W) maps to a square, bilinearly and without antialiasing, losing the aspect ratio."""
    if images.shape[-2:] == (side, side):
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
