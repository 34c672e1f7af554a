"""The two ways to lay out a grid of features: tokens (..., L, C) and maps (..., C, h, w); grids are square."""

from __future__ import annotations

from torch import Tensor

__all__ = ["as_maps", "as_tokens"]


def as_maps(tokens: Tensor) -> Tensor:
    """Return (..., L, C) tokens as (..., C, h, w) maps, h = w, without copying (channels last in memory)."""
    side = round(tokens.shape[-2] ** 0.5)
    return tokens.transpose(-1, -2).unflatten(-1, (side, side))


def as_tokens(maps: Tensor) -> Tensor:
    """Return (..., C, h, w) maps as (..., L, C) tokens."""
    return maps.flatten(-2).transpose(-1, -2)
