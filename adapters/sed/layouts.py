"""The two ways in which maps are laid out here, and how much of them is handled at once.

Maps are (N, C, h, w) with the channels last in memory, so that rows (N * h * w, C),
one for each position, are the same memory: convolutions take the one,
normalisation and linear layers the other, and nothing is copied in between.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["as_maps", "as_rows", "channels_last", "pieces", "plain_inference"]


def channels_last(maps: Tensor) -> Tensor:
    """Return (N, C, h, w) maps with the channels last in memory; the same ones where they lie so already."""
    return maps.contiguous(memory_format=torch.channels_last)


def as_rows(maps: Tensor) -> Tensor:
    """Return (N, C, h, w) maps as (N * h * w, C) rows, without copying if the channels are last in memory."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def as_maps(rows: Tensor, like: Tensor) -> Tensor:
    """Return (N * h * w, C) rows as (N, C, h, w) maps, N, h and w as those of ``like``, without copying."""
    return rows.view(len(like), *like.shape[-2:], -1).permute(0, 3, 1, 2)


def pieces(tensor: Tensor, size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut a tensor into pieces of ``size`` along an axis on a CPU; elsewhere it stays whole, since caches matter less.

    Where a cut falls follows from the shape alone, so the same tensor gives the same bits in any company.
    """
    return tensor.split(size, dim) if tensor.device.type == "cpu" else (tensor,)


def plain_inference(tensor: Tensor) -> bool:
    """Tell whether results may be written into memory that is at hand: no gradients are recorded, no autocast works."""
    return not torch.is_grad_enabled() and not torch.is_autocast_enabled(tensor.device.type)
