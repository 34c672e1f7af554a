"""RS-Fusion: the aggregator, mixing the cost volume over space and over classes.

The paper's *efficient* layers attend from every place to keys and values
reduced by half in each direction. Where the paper's equations 4 to 7 and the
official ``EfficientAggregator/`` differ, the code is followed: CLIP alone
guides, keys see the guidance, values do not. Shapes: ``x`` is (B, K, L, C).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.aggregator import Aggregator
from ovrisisbench.adapters.cost_aggregation.guided import GuidedLinear
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps, as_tokens
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig

__all__ = ["EfficientLayer", "RSFusion"]

_HEADS = 8
"""The efficient layers have eight, whatever ``NUM_HEADS`` says."""


class RSFusion(Aggregator):
    """Guidance projections and N layers, efficient ones or CAT-Seg's."""

    def __init__(self, config: RSKTSegConfig) -> None:
        sizes = (config.hidden, config.image_guidance, config.text_guidance)
        super().__init__(config, layer=(lambda: EfficientLayer(*sizes)) if config.efficient else None)


class EfficientLayer(nn.Module):
    """One efficient layer, ``layers.{i}``: ``spatial`` then ``classes``."""

    def __init__(self, hidden: int, image_guidance: int, text_guidance: int) -> None:
        super().__init__()
        self.spatial = _SpatialPart(hidden, image_guidance)
        self.classes = _ClassPart(hidden, text_guidance)


class _SpatialPart(nn.Module):
    """``spatial_fusion.sa``: attention from every place to a grid of half the side."""

    def __init__(self, hidden: int, guidance: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden)
        self.attention = _ReducedAttention(hidden, guidance)
        self.norm2 = nn.LayerNorm(hidden)
        self.mlp = _GatedMLP(hidden)
        self.dwconv = nn.Conv2d(hidden, hidden, 7, padding=3, groups=hidden)

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        """Mix over space under the image guidance (B, L, G)."""
        x = x + self.attention(self.norm1(x), guidance)
        z = self.mlp(self.norm2(x)).flatten(0, 1)
        return x + as_tokens(self.dwconv(as_maps(z))).unflatten(0, x.shape[:2])


class _ReducedAttention(nn.Module):
    def __init__(self, hidden: int, guidance: int) -> None:
        super().__init__()
        joint = hidden + guidance
        self.hidden = hidden
        self.q = GuidedLinear(hidden, guidance, hidden)
        self.sr_k = nn.Conv2d(joint, joint, 2, stride=2)
        self.norm_k = nn.LayerNorm(joint)
        self.k = nn.Linear(joint, hidden)
        self.sr_v = nn.Conv2d(hidden, hidden, 2, stride=2)
        self.norm_v = nn.LayerNorm(hidden)
        self.v = nn.Linear(hidden, hidden)
        self.proj = nn.Linear(hidden, hidden)

    def forward(self, y: Tensor, guidance: Tensor) -> Tensor:
        """Attend; y (B, K, L, C), guidance (B, L, G)."""
        batch, maps = y.shape[:2], as_maps(y.flatten(0, 1))
        q = self.q(y, guidance[:, None]).flatten(0, 1)
        k = self.k(self.norm_k(self._reduced_keys(maps, guidance)))
        v = self.v(self.norm_v(as_tokens(self.sr_v(maps))))
        return self.proj(_attention(q, k, v)).unflatten(0, batch)

    def _reduced_keys(self, maps: Tensor, guidance: Tensor) -> Tensor:
        """``sr_k`` over [maps, guidance], (B * K, L / 4, C + G); the guidance half once for all classes."""
        of_x, of_guidance = self.sr_k.weight.split([self.hidden, self.sr_k.in_channels - self.hidden], dim=1)
        from_guidance = F.conv2d(as_maps(guidance), of_guidance, self.sr_k.bias, stride=2)[:, None]
        from_x = F.conv2d(maps, of_x, stride=2).unflatten(0, (len(guidance), -1))
        return as_tokens((from_x + from_guidance).flatten(0, 1))


class _ClassPart(nn.Module):
    """``class_fusion.sa``: on a grid of half the side, every place attends among its classes."""

    def __init__(self, hidden: int, guidance: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden)
        self.q = GuidedLinear(hidden, guidance, hidden)
        self.k = GuidedLinear(hidden, guidance, hidden)
        self.v = nn.Linear(hidden, hidden)
        self.proj = nn.Linear(hidden, hidden)
        self.norm2 = nn.LayerNorm(hidden)
        self.mlp = _GatedMLP(hidden)

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        """Mix over classes under the text guidance (K, G)."""
        batch, maps = x.shape[:2], as_maps(x.flatten(0, 1))
        p = as_tokens(F.avg_pool2d(maps, 2)).unflatten(0, batch).transpose(1, 2)  # (B, L / 4, K, C)
        p = p + self._attend(self.norm1(p), guidance)
        p = p + F.relu6(self.mlp(self.norm2(p)))
        coarse = as_maps(p.transpose(1, 2).flatten(0, 1))
        fine = F.interpolate(coarse, size=maps.shape[-2:], mode="bilinear", align_corners=True)
        # p holds the pooled x already, so every layer about doubles the volume; the published weights expect it.
        return x + as_tokens(fine).unflatten(0, batch)

    def _attend(self, y: Tensor, guidance: Tensor) -> Tensor:
        batch = y.shape[:2]
        q, k, v = (part.flatten(0, 1) for part in (self.q(y, guidance), self.k(y, guidance), self.v(y)))
        return self.proj(_attention(q, k, v)).unflatten(0, batch)


class _GatedMLP(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden, 3 * hidden)
        self.fc2 = nn.Linear(hidden, 3 * hidden)
        self.fc3 = nn.Linear(3 * hidden, hidden)

    def forward(self, z: Tensor) -> Tensor:
        return self.fc3(F.relu6(self.fc1(z)) * self.fc2(z))


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Softmax attention of (N, L, C) queries over (N, M, C) keys and values; heads are contiguous channels."""
    q, k, v = (part.unflatten(-1, (_HEADS, -1)).transpose(1, 2) for part in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
