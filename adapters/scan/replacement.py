"""The random part of SCAN: which background patches of each crop take over the class token of the whole image.

The original draws with Python's global generator, so two of its runs differ.
Here the generator is made anew for each image from the seed of the run and the
image's id, so an image gets the same draw in any company, order and thread.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Draw", "draw_patches", "generator_for", "replaced"]

Draw = list[list[list[int]]]
"""For each replacing layer and each region the numbers of its replaced patches, in the order they were drawn."""


def generator_for(seed: int, image_id: str) -> random.Random:
    """Return the generator for one image.

    Example:
        >>> generator_for(0, "P0003").random() == generator_for(0, "P0003").random()
        True
    """
    digest = hashlib.sha256(f"{seed}:{image_id}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "little"))  # noqa: S311 - nothing is kept secret


def draw_patches(touched: Tensor, ratio: float, layers: int, generator: random.Random) -> Draw:
    """Draw patches without replacement among those that no mask touches.

    The calls are those of the original: layer by layer, inside a layer region
    by region, ``int(ratio * n)`` of the n background patches of a region.

    Args:
        touched: (R, n) bool, which patches belong to the region.
        ratio: share to replace.
        layers: how many layers replace.
        generator: Python's, in the state to draw from.
    """
    background = [(~row).nonzero().flatten().tolist() for row in touched]
    return [[generator.sample(patches, int(ratio * len(patches))) for patches in background] for _ in range(layers)]


def replaced(drawn: Sequence[Sequence[int]], patches: int) -> Tensor:
    """Return one layer's draw as (R, patches) bool, on the CPU."""
    mask = torch.zeros(len(drawn), patches, dtype=torch.bool)
    for row, numbers in zip(mask, drawn, strict=True):
        row[numbers] = True
    return mask
