"""The two ways in which the CAT-Seg family scores an image: as a whole, or in windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import as_pixels, normalised, padded, squeezed

__all__ = ["sliding_scores", "whole_image_scores"]

Network = Callable[[Tensor], Tensor]
"""From one normalised image (1, 3, H, W) to logits (1, K, h, w)."""

_CANVAS = 640
_WINDOW = 384
_CORNERS = (0, 256)
"""Overlap 0.333 gives a stride of int(384 * 0.667) = 256, so two windows along each side of the canvas."""


def whole_image_scores(image: NDArray[np.uint8], network: Network, device: torch.device) -> Tensor:
    """Score an image in one piece (``TEST.SLIDING_WINDOW False``).

    The official code means to cut the padding off the result but cuts
    nothing, because the map is smaller than the limits. The padded strip stays
    in the map, and what lies beside it is squeezed by up to 31 / 640. The map
    is returned the same way, whole: stretched over the image it gives the
    official scores.

    Args:
        image: (H, W, 3) uint8, RGB.
        network: the model with its vocabulary.
        device: where the network is.

    Returns:
        (K, h, w) float32 in 0..1, at the resolution of the logits.
    """
    return _scores(network(padded(normalised(as_pixels(mapped(image), device)))))


def sliding_scores(image: NDArray[np.uint8], network: Network, device: torch.device) -> Tensor:
    """Score an image in four overlapping windows and once as a whole (``TEST.SLIDING_WINDOW True``).

    The windows are cut from a 640 x 640 canvas into which the mapped image is
    squeezed; the whole is the mapped image itself, squeezed to one window.

    Args:
        image: (H, W, 3) uint8, RGB.
        network: the model with its vocabulary.
        device: where the network is.

    Returns:
        (K, 640, 640) float32 in 0..1: the mean of the windows' map and the whole's.
    """
    pixels = as_pixels(mapped(image), device)
    canvas = squeezed(pixels, _CANVAS)
    total: Tensor | None = None
    count = canvas.new_zeros(_CANVAS, _CANVAS)
    for top in _CORNERS:
        for left in _CORNERS:
            rows, columns = slice(top, top + _WINDOW), slice(left, left + _WINDOW)
            scores = _window_scores(network, canvas[..., rows, columns])
            total = scores.new_zeros(len(scores), _CANVAS, _CANVAS) if total is None else total
            total[:, rows, columns] += scores
            count[rows, columns] += 1
    whole = _window_scores(network, squeezed(pixels, _WINDOW))
    return (total / count + squeezed(whole[None], _CANVAS)[0]) / 2


def _window_scores(network: Network, pixels: Tensor) -> Tensor:
    """Scores (K, 384, 384) of one window: logits are enlarged before the sigmoid here."""
    return _scores(squeezed(network(normalised(pixels)).float(), _WINDOW))


def _scores(logits: Tensor) -> Tensor:
    return logits[0].float().sigmoid()
