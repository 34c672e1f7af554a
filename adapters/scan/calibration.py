"""Semantic assistance for the queries: CLIP's features of the whole image, filtered and fused into them.

The filter is in the official ``scan/frequency.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["FrequencyFilter", "Fusion", "LightweightTransformer", "SemanticMLP"]


class FrequencyFilter(nn.Module):
    """The paper's LFM.

    The spectrum is weakened around the middle of its *unshifted* layout, that
    is at the highest frequencies, mixed by two 1x1 convolutions, and what they
    return is added to the map.

    Args:
        width: channels of the maps.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2 * width, 2 * width, 1)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 1)

    def forward(self, maps: Tensor, sigmas: Sequence[float]) -> Tensor:
        """Filter maps (B, D, G, G), each with the width of its own Gaussian; return the same shape."""
        spectrum = torch.fft.fft2(maps.float()) * _damping(maps.shape[-1], sigmas, maps.device)
        mixed = self.conv2(self.conv1(torch.cat([spectrum.real, spectrum.imag], dim=1)).relu()).float()
        real, imaginary = mixed.chunk(2, dim=1)
        return maps + torch.fft.ifft2(torch.complex(real, imaginary)).real


class SemanticMLP(nn.Module):
    """From CLIP's tokens to the joint space: two layers without an activation between them (``oriclip_mlp``)."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, embedding)
        self.fc2 = nn.Linear(embedding, embedding)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., width) -> (..., embedding)."""
        projected: Tensor = self.fc2(self.fc1(tokens))
        return projected


class Fusion(nn.Module):
    """Cross attention of the queries to CLIP's features (``fusion_decoder``); a norm after each layer but the last."""

    def __init__(self, embedding: int, heads: int, layers: int) -> None:
        super().__init__()
        self.multiattn = nn.ModuleList(nn.MultiheadAttention(embedding, heads, batch_first=True) for _ in range(layers))
        self.ln = nn.ModuleList(nn.LayerNorm(embedding) for _ in range(layers - 1))

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Fuse memory (B, M, D) into queries (B, Q, D)."""
        for index, attention in enumerate(self.multiattn):
            queries = queries + attention(queries, memory, memory, need_weights=False)[0]
            if index < len(self.ln):
                queries = self.ln[index](queries)
        return queries


class LightweightTransformer(nn.TransformerEncoder):
    """Post-norm layers for queries that never see each other.

    The official code lays the queries out as sequences of length one, so
    attention is the value path alone; queries and keys influence nothing, but
    their weights stay, as files hold them.
    """

    def __init__(self, embedding: int, heads: int, mlp: int, layers: int) -> None:
        layer = nn.TransformerEncoderLayer(embedding, heads, mlp, dropout=0.0, batch_first=True)
        super().__init__(layer, layers, enable_nested_tensor=False)

    def forward(self, queries: Tensor) -> Tensor:  # type: ignore[override]
        """(..., D) -> (..., D)."""
        width = queries.shape[-1]
        for layer in self.layers:
            attention = layer.self_attn
            value = F.linear(queries, attention.in_proj_weight[2 * width :], attention.in_proj_bias[2 * width :])
            queries = layer.norm1(queries + attention.out_proj(value))
            queries = layer.norm2(queries + layer.linear2(layer.linear1(queries).relu()))
        return queries


def _damping(side: int, sigmas: Sequence[float], device: torch.device) -> Tensor:
    """One minus a Gaussian around the middle of the grid, (B, 1, G, G)."""
    distance = (torch.arange(side, device=device) - side // 2).square().float()
    widths = torch.tensor(sigmas, device=device).view(-1, 1, 1, 1)
    return 1 - torch.exp(-(distance[:, None] + distance[None]) / (2 * widths.square()))
