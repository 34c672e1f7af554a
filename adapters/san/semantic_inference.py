"""From proposals to a score for every class and pixel (``semantic_inference`` in ``san/model/san.py``).

Officially the logits of all masks are enlarged to the padded image, cut to the
image, resized to the size it came in, passed through a sigmoid, and summed.
The two resizes are linear and act on rows and columns apart, so each axis is
one small matrix here; and the sum is a matrix product over a few rows of the
image at a time, so that no full-size mask is ever stored.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Sizes", "class_scores", "resize_matrix", "resized_masks"]

_TILE = 1 << 20
"""Mask values that are handled at once; they should stay in the processor's cache."""


class Sizes(NamedTuple):
    """Height and width of one image on its way into the network, in pixels."""

    original: tuple[int, int]
    """As it came."""
    mapped: tuple[int, int]
    """As the test mapper resized it."""
    padded: tuple[int, int]
    """With the strips that fill it up to multiples of 32."""


def class_scores(mask_logits: Tensor, class_logits: Tensor, sizes: Sizes) -> Tensor:
    """Return the score of each class at each pixel of the original image.

    It is the sum, over all queries, of the class's probability times the mask;
    the background takes part in the softmax and is dropped.

    Args:
        mask_logits: (Q, h, w).
        class_logits: (Q, K + 1), the background last.
        sizes: of the image.

    Returns:
        (K, H, W) float32, from 0 to Q.
    """
    with torch.autocast(mask_logits.device.type, enabled=False):
        chances = class_logits.float().softmax(dim=-1)[:, :-1].T  # (K, Q)
        rows, columns = _matrices(mask_logits, sizes)
        wide = mask_logits.float() @ columns.to(mask_logits.device).T  # (Q, h, W)
        scores = wide.new_empty(len(chances), len(rows), len(columns))
        step = max(1, _TILE // (len(wide) * len(columns)))
        for top in range(0, len(rows), step):
            masks = _rows_of(rows[top : top + step], wide).sigmoid_()  # (Q, step, W)
            scores[:, top : top + step] = (chances @ masks.flatten(1)).unflatten(1, masks.shape[1:])
    return scores


def _rows_of(rows: Tensor, wide: Tensor) -> Tensor:
    """Some rows of the image, (Q, step, W): they lie between few rows of cells, so most factors are zero."""
    used = rows.any(dim=0).nonzero()
    cells = slice(int(used[0]), int(used[-1]) + 1)
    return rows[:, cells].to(wide.device) @ wide[:, cells]


def resized_masks(mask_logits: Tensor, sizes: Sizes) -> Tensor:
    """Return mask logits (Q, h, w) at the size of the original image, (Q, H, W)."""
    rows, columns = (matrix.to(mask_logits.device) for matrix in _matrices(mask_logits, sizes))
    return rows @ (mask_logits @ columns.T)


def _matrices(mask_logits: Tensor, sizes: Sizes) -> tuple[Tensor, Tensor]:
    """The matrices (H, h) and (W, w) that resize rows and columns, on the CPU."""
    rows, columns = (
        resize_matrix(*of_one_axis)
        for of_one_axis in zip(mask_logits.shape[-2:], sizes.padded, sizes.mapped, sizes.original, strict=True)
    )
    return rows, columns


def resize_matrix(cells: int, padded: int, mapped: int, original: int) -> Tensor:
    """Return the matrix (original, cells) of the two official resizes of one axis, with the cut between them.

    It is what torch's own bilinear resize makes of each cell, so it follows
    torch's rule for the sampling points, rounding of the weights included.
    """
    each = torch.eye(cells)[None, :, :, None]  # (1, cells, cells, 1): one image for each cell
    enlarged = F.interpolate(each, size=(padded, 1), mode="bilinear", align_corners=False)[:, :, :mapped]
    return F.interpolate(enlarged, size=(original, 1), mode="bilinear", align_corners=False)[0, :, :, 0].T.contiguous()
