"""Attention over classes at every position (``attention`` of a decoder stage; CAT-Seg's, without text guidance)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.sed.layouts import channels_last, pieces

__all__ = ["ClassAttention"]

_ROWS_AT_ONCE = 2304
"""Rows, one for each class at each position, that are mixed together on a CPU: they then stay in its cache."""


class ClassAttention(nn.Module):
    """Linear attention among the classes of each position, then an MLP; both with a residual.

    Args:
        channels: channels C.
        heads: attention heads; contiguous slices of C / heads channels.
        pooling: side of the average pooling before it. It has no parameters, and weights are trained with 2 and
            evaluated with 1 by the authors.
    """

    def __init__(self, channels: int, *, heads: int, pooling: int) -> None:
        super().__init__()
        self.heads, self.pooling = heads, pooling
        self.norm1 = nn.LayerNorm(channels)
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.ReLU(inplace=True), nn.Linear(4 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Mix maps (B, K, C, h, w) over their K classes; the shape stays."""
        maps = x.flatten(0, 1)
        pooled = maps if self.pooling == 1 else F.avg_pool2d(maps, self.pooling)
        places = channels_last(pooled).permute(0, 2, 3, 1).flatten(1, 2).unflatten(0, x.shape[:2])  # (B, K, L, C)
        parts = pieces(places, max(1, _ROWS_AT_ONCE // x.shape[1]), dim=2)
        if self.pooling == 1:
            # What is added holds the input already, so the input counts twice; published weights are trained so.
            mixed = torch.cat([part + self._mixed(part) for part in parts], dim=2)
            return _as_maps(mixed, pooled).unflatten(0, x.shape[:2])
        coarse = _as_maps(torch.cat([self._mixed(part) for part in parts], dim=2), pooled)
        fine = F.interpolate(coarse, size=maps.shape[-2:], mode="bilinear", align_corners=True)
        return x + fine.unflatten(0, x.shape[:2])

    def _mixed(self, p: Tensor) -> Tensor:
        """Attend and transform at L positions; (B, K, L, C) in and out."""
        y = self.norm1(p)
        attended = self._attend(self._heads(self.q(y)), self._heads(self.k(y)), self._heads(self.v(y)))
        p = p + attended.transpose(1, 2).reshape(p.shape)
        return p + self.mlp(self.norm2(p))

    def _heads(self, y: Tensor) -> Tensor:
        """(B, K, L, C) -> (B, L * heads, K, d), without copying."""
        return y.unflatten(-1, (self.heads, -1)).flatten(2, 3).transpose(1, 2)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention with the feature map elu + 1, over the second last axis."""
        q, k = _positive(q), _positive(k)
        context = k.transpose(-1, -2) @ v  # (B, L * heads, d, d)
        total = k.sum(-2, keepdim=True)
        return (q @ context) / (q @ total.transpose(-1, -2) + 1e-6)


def _positive(x: Tensor) -> Tensor:
    """``elu(x) + 1``, written so that a CPU is quick at it."""
    return x.clamp(max=0).exp() + x.relu()


def _as_maps(places: Tensor, like: Tensor) -> Tensor:
    """(B, K, L, C) -> (B * K, C, h, w), h and w as those of ``like``."""
    return places.flatten(0, 1).unflatten(1, like.shape[-2:]).permute(0, 3, 1, 2)
