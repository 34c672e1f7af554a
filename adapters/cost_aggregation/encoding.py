"""Running the image encoders of the family: each squeezes the image to a square of its own."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.cost_aggregation.dino import DINO
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps
from ovrisisbench.adapters.images.pixels import squeezed
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["CLIPEncoding", "encode_clip", "encode_dino", "without_class_token"]


class CLIPEncoding(NamedTuple):
    """What CLIP gives for B images in R orientations; L = grid * grid."""

    upright: Tensor
    """(B, L, C) dense features of the images as they are, not normalised."""
    dense: Tensor
    """(R * B, L, C) those of all orientations, 0, 90, 180, 270 degrees counter-clockwise, one after the other."""
    taps: tuple[Tensor, ...]
    """(B, D, grid, grid) maps of the tapped blocks, of the images as they are."""


def encode_clip(
    tower: DenseCLIPImageTower, images: Tensor, *, side: int, orientations: int = 1, trace: Trace | None = None
) -> CLIPEncoding:
    """Encode normalised images (B, 3, H, W), squeezed to ``side``; all orientations are one batch."""
    square = squeezed(images, side)
    turned = [square.rot90(turns, dims=(-2, -1)) for turns in range(orientations)]
    dense, taps = tower(torch.cat(turned))
    taps = tuple(tap[: len(images)] for tap in taps)
    if trace:
        trace("clip_in", square)
        for turns, features in enumerate(dense.split(len(images))):
            trace(f"clip_dense_{turns}", features)
        for index, tap in enumerate(taps):
            trace(f"clip_mid_{index}", tap)
    dense = dense[:, 1:]
    return CLIPEncoding(dense[: len(images)], dense, tuple(without_class_token(tap) for tap in taps))


def encode_dino(tower: DINO, images: Tensor, *, side: int, trace: Trace | None = None) -> tuple[Tensor, ...]:
    """Encode normalised images (B, 3, H, W), squeezed to ``side``; return the maps (B, D, h, w) of the taps."""
    square = squeezed(images, side)
    taps = tower(square)
    if trace:
        trace("dino_in", square)
        trace("dino_pos", tower.positions())
        for block, tap in zip(tower.taps, taps, strict=True):
            trace(f"dino_layer_{block}", tap)
    return tuple(without_class_token(tap) for tap in taps)


def without_class_token(tokens: Tensor) -> Tensor:
    """(B, 1 + L, D) tokens -> (B, D, h, w) maps."""
    return as_maps(tokens[:, 1:])
