"""Regions: from mask probabilities to boxes, crops and the patches that a mask touches.

Official file: ``scan/modeling/clip_adapter/adapter.py``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Regions", "crop", "find_regions", "first_of_equals", "touched_patches"]

Box = tuple[int, int, int, int]
"""``x0, y0, x1, y1`` in pixels, ends exclusive."""


class Regions(NamedTuple):
    """The masks that have any pixel, R of Q."""

    valid: Tensor
    """(Q,) bool."""
    masks: Tensor
    """(R, h, w) bool."""
    boxes: tuple[Box, ...]
    """The tight box of each mask."""


def find_regions(probabilities: Tensor, threshold: float) -> Regions:
    """Cut mask probabilities (Q, h, w) at a threshold; a pixel belongs to a mask that is above it."""
    masks = probabilities > threshold
    rows, columns = masks.any(dim=2), masks.any(dim=1)  # (Q, h), (Q, w)
    valid = rows.any(dim=1)
    (y0, y1), (x0, x1) = _extent(rows[valid]), _extent(columns[valid])
    boxes = torch.stack([x0, y0, x1, y1], dim=1).tolist()
    return Regions(valid, masks if bool(valid.all()) else masks[valid], tuple((a, b, c, d) for a, b, c, d in boxes))


def crop(image: Tensor, mask: Tensor, box: Box, side: int) -> Tensor:
    """Cut a region out, (3, side, side).

    What lies outside the mask is filled with CLIP's mean, which is nought in a
    normalised image. The box is resized bicubically, without antialiasing and
    without regard to its shape.

    Args:
        image: (3, h, w), normalised with CLIP's mean and deviation.
        mask: (h, w) bool.
        box: what to cut.
        side: of the result, in pixels.
    """
    x0, y0, x1, y1 = box
    part = torch.where(mask[y0:y1, x0:x1], image[:, y0:y1, x0:x1], 0.0)
    return F.interpolate(part[None], size=(side, side), mode="bicubic", align_corners=False)[0]


def touched_patches(mask: Tensor, box: Box, side: int, patch: int) -> Tensor:
    """Tell which of CLIP's patches of a crop have any pixel of the mask, (n,) bool, row by row.

    The mask is resized to the nearest pixel, so a thin mask may touch no patch.

    Args:
        mask: (h, w) bool.
        box: what is cut.
        side: of the crop in pixels.
        patch: side of a patch in pixels.
    """
    x0, y0, x1, y1 = box
    resized = F.interpolate(mask[None, None, y0:y1, x0:x1].float(), size=(side, side), mode="nearest")
    return F.max_pool2d(resized, patch).flatten() > 0


def first_of_equals(masks: Tensor) -> list[int]:
    """Return for each mask (R, h, w) bool the position of the first one that is equal to it, itself if there is none.

    Equal masks have equal crops.
    """
    seen: dict[bytes, int] = {}
    packed = np.packbits(masks.flatten(1).cpu().numpy(), axis=1)
    return [seen.setdefault(row.tobytes(), position) for position, row in enumerate(packed)]


def _extent(hit: Tensor) -> tuple[Tensor, Tensor]:
    """First place that is True in each row of (R, n), and one behind the last."""
    hit = hit.byte()
    return hit.argmax(dim=1), hit.shape[1] - hit.flip(1).argmax(dim=1)
