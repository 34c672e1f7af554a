"""CAT-Seg's aggregator layer: shifted windows over space, then attention over classes.

CAT-Seg, OVRS and GSNet are built from it; RSKT-Seg calls it the original
aggregator (``USE_EFFICIENT: False``, folder ``OriAggregator``). Shapes:
``x`` is (B, K, L, C), the hidden cost volume of K classes at L = h * w places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.guided import GuidedLinear
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps, as_tokens

__all__ = ["AggregatorConfig", "AggregatorLayer", "Attention"]

Attention = Literal["linear", "full"]
"""Kind of attention over classes; every published configuration has ``linear``."""

_PADDED_LENGTH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorConfig:
    """Options of the layer. None of them is stored in a checkpoint."""

    pooling: int = 1
    """Side of the average pooling before attention over classes; 2 in training, 1 in the published evaluations."""
    window: int = 12
    """Side of the attention windows; as large as the grid or larger means one window and no shift."""
    heads: int = 4
    attention: Attention = "linear"


class AggregatorLayer(nn.Module):
    """One layer, ``layers.{i}``.

    Args:
        hidden: channels C of the cost volume.
        image_guidance: channels of the image guidance.
        text_guidance: channels of the text guidance.
        config: options of the layer.
    """

    def __init__(self, hidden: int, image_guidance: int, text_guidance: int, config: AggregatorConfig) -> None:
        super().__init__()
        self.spatial = _SpatialPart(hidden, image_guidance, config)
        self.classes = _ClassPart(hidden, text_guidance, config)


class _SpatialPart(nn.Module):
    """``swin_block``: two window-attention blocks, the second one shifted by half a window."""

    def __init__(self, hidden: int, guidance: int, config: AggregatorConfig) -> None:
        super().__init__()
        self.guidance_norm = nn.LayerNorm(guidance)
        self.block_1 = _SwinBlock(hidden, guidance, config, shifted=False)
        self.block_2 = _SwinBlock(hidden, guidance, config, shifted=True)

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        """Mix over space under the image guidance (B, L, G); x is (B, K, L, C)."""
        guidance = self.guidance_norm(guidance)[:, None]
        return self.block_2(self.block_1(x, guidance), guidance)


class _SwinBlock(nn.Module):
    def __init__(self, hidden: int, guidance: int, config: AggregatorConfig, *, shifted: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden)
        self.attn = _WindowAttention(hidden, guidance, config, shifted=shifted)
        self.norm2 = nn.LayerNorm(hidden)
        self.mlp = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.GELU(), nn.Linear(4 * hidden, hidden))

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), guidance)
        return x + self.mlp(self.norm2(x))


class _WindowAttention(nn.Module):
    def __init__(self, hidden: int, guidance: int, config: AggregatorConfig, *, shifted: bool) -> None:
        super().__init__()
        self.heads, self.window, self.shifted = config.heads, config.window, shifted
        self.q = GuidedLinear(hidden, guidance, hidden)
        self.k = GuidedLinear(hidden, guidance, hidden)
        self.v = nn.Linear(hidden, hidden)
        self.proj = nn.Linear(hidden, hidden)

    def forward(self, y: Tensor, guidance: Tensor) -> Tensor:
        """Attend inside windows; y (B, K, L, C), guidance (B, 1, L, G)."""
        batch, side = y.shape[:2], round(y.shape[2] ** 0.5)
        window = min(self.window, side)
        shift = window // 2 if self.shifted and window < side else 0
        q, k, v = (
            self._windows(projected.flatten(0, 1), window, shift)
            for projected in (self.q(y, guidance), self.k(y, guidance), self.v(y))
        )
        mask = _shift_mask(side, window, shift, str(y.device)).to(q.dtype) if shift else None
        if mask is not None:
            mask = mask.repeat_interleave(self.heads, dim=0)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (N, windows * heads, w * w, d)
        return self.proj(self._grid(out, side, window, shift).unflatten(0, batch))

    def _windows(self, tokens: Tensor, window: int, shift: int) -> Tensor:
        """Cut (N, L, C) tokens into (N, windows * heads, w * w, d); windows and heads row by row."""
        side = round(tokens.shape[1] ** 0.5)
        x = tokens.unflatten(1, (side, side))
        if shift:
            x = x.roll((-shift, -shift), dims=(1, 2))
        n = side // window
        x = x.unflatten(2, (n, window)).unflatten(1, (n, window)).unflatten(-1, (self.heads, -1))
        x = x.permute(0, 1, 3, 5, 2, 4, 6)  # (N, n, n, heads, w, w, d)
        return x.flatten(4, 5).flatten(1, 3)

    def _grid(self, windows: Tensor, side: int, window: int, shift: int) -> Tensor:
        """Undo :meth:`_windows`."""
        n = side // window
        x = windows.unflatten(2, (window, window)).unflatten(1, (n, n, self.heads))
        x = x.permute(0, 1, 4, 2, 5, 3, 6).flatten(5, 6)  # (N, n, w, n, w, C)
        x = x.flatten(3, 4).flatten(1, 2)
        if shift:
            x = x.roll((shift, shift), dims=(1, 2))
        return x.flatten(1, 2)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # kept for later calls, which may be in training
def _shift_mask(side: int, window: int, shift: int, device: str) -> Tensor:
    """Return Swin's additive mask (windows, w * w, w * w): -100 between places that the roll made neighbours."""
    band = torch.zeros(side, dtype=torch.long)
    band[side - window : side - shift] = 1
    band[side - shift :] = 2
    region = 3 * band[:, None] + band[None, :]
    n = side // window
    region = region.reshape(n, window, n, window).permute(0, 2, 1, 3).reshape(n * n, window * window)
    apart = region[:, :, None] != region[:, None, :]
    return torch.where(apart, -100.0, 0.0).to(device)


class _ClassPart(nn.Module):
    """``attention``: every place attends among its classes.

    The official code fills the classes up to 256 with one learned token. All
    those tokens of a place are equal, so here one stands for them with their
    number as its weight.
    """

    def __init__(self, hidden: int, guidance: int, config: AggregatorConfig) -> None:
        super().__init__()
        self.pooling, self.heads, self.kind = config.pooling, config.heads, config.attention
        self.padding_tokens = nn.Parameter(torch.zeros(1, 1, hidden))
        self.padding_guidance = nn.Parameter(torch.zeros(1, 1, guidance))
        self.norm1 = nn.LayerNorm(hidden)
        self.q = GuidedLinear(hidden, guidance, hidden)
        self.k = GuidedLinear(hidden, guidance, hidden)
        self.v = nn.Linear(hidden, hidden)
        self.norm2 = nn.LayerNorm(hidden)
        self.mlp = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.ReLU(), nn.Linear(4 * hidden, hidden))

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        """Mix over classes under the text guidance (K, G); x is (B, K, L, C)."""
        maps = as_maps(x.flatten(0, 1))
        pooled = as_tokens(F.avg_pool2d(maps, self.pooling)).unflatten(0, x.shape[:2])
        p = pooled.transpose(1, 2)  # (B, places, K, C)
        p = p + self._attend(self.norm1(p), guidance)
        p = p + self.mlp(self.norm2(p))
        coarse = as_maps(p.transpose(1, 2).flatten(0, 1))
        if self.pooling > 1:
            coarse = F.interpolate(coarse, size=maps.shape[-2:], mode="bilinear", align_corners=True)
        # p holds the pooled x already, so the input counts twice; the published weights are trained that way.
        return x + as_tokens(coarse).unflatten(0, x.shape[:2])

    def _attend(self, y: Tensor, guidance: Tensor) -> Tensor:
        q, k, v = (self._heads(part) for part in (self.q(y, guidance), self.k(y, guidance), self.v(y)))
        pad = self.norm1(self.padding_tokens[0])
        k_pad, v_pad = self._heads(self.k(pad, self.padding_guidance[0])), self._heads(self.v(pad))
        attend = _linear_attention if self.kind == "linear" else _full_attention
        out = attend(q, k, v, k_pad, v_pad, pads=max(0, _PADDED_LENGTH - y.shape[2]))
        return out.transpose(2, 3).flatten(3)

    def _heads(self, tokens: Tensor) -> Tensor:
        """(..., K, C) -> (..., heads, K, d)."""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(-2, -3)


def _linear_attention(q: Tensor, k: Tensor, v: Tensor, k_pad: Tensor, v_pad: Tensor, *, pads: int) -> Tensor:
    """Attention with the feature map elu + 1; all (B, places, heads, K, d), the pad (heads, 1, d)."""
    q, k, k_pad = F.elu(q) + 1, F.elu(k) + 1, F.elu(k_pad) + 1
    context = k.transpose(-1, -2) @ v + pads * (k_pad.transpose(-1, -2) @ v_pad)  # (B, places, heads, d, d)
    total = k.sum(-2, keepdim=True) + pads * k_pad
    return (q @ context) / ((q * total).sum(-1, keepdim=True) + 1e-6)


def _full_attention(q: Tensor, k: Tensor, v: Tensor, k_pad: Tensor, v_pad: Tensor, *, pads: int) -> Tensor:
    """Softmax attention; a key that stands for n equal ones gets log n on its logits."""
    mask = None
    if pads:
        k = torch.cat([k, k_pad.expand(*k.shape[:3], -1, -1)], dim=-2)
        v = torch.cat([v, v_pad.expand(*v.shape[:3], -1, -1)], dim=-2)
        mask = q.new_zeros(k.shape[-2])
        mask[-1] = math.log(pads)
        mask = mask.expand(q.shape[-2], -1)
    out = F.scaled_dot_product_attention(q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1), attn_mask=mask)
    return out.unflatten(0, q.shape[:2])
