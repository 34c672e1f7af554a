"""The mask decoder: from queries and pixels to masks, and to the bias that shows CLIP where to look.

Section 3.2 of the paper; ``MLPMaskDecoder`` in ``side_adapter.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.positions import Grid
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.san.config import SideConfig
from ovrisisbench.adapters.san.pointwise import Pointwise

__all__ = ["MLP", "MaskDecoder", "Masks"]


class Masks(NamedTuple):
    """What Q queries propose on a grid of h x w cells."""

    logits: Tensor
    """(B, Q, h, w); their sigmoid is the mask."""
    bias: Tensor
    """(B, heads, Q, h, w) for the attention logits of CLIP's second part, before it is pooled to CLIP's grid."""


class MLP(nn.Module):
    """Linear layers with ReLU between them and none behind the last.

    Args:
        layer: kind of layers, made from the channels that come in and go out.
        widths: channels from input to output.
    """

    def __init__(self, layer: Callable[[int, int], nn.Module], widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer(before, after) for before, after in pairwise(widths))

    def hidden(self, x: Tensor) -> Tensor:
        """Return what the last layer takes."""
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., widths[-1]) for tokens (..., widths[0])."""
        out: Tensor = self.layers[-1](self.hidden(x))
        return out


class MaskDecoder(nn.Module):
    """Masks and attention bias as products of query and pixel embeddings.

    Args:
        config: sizes of the side network.
        heads: attention heads of CLIP.
    """

    def __init__(self, config: SideConfig, *, heads: int) -> None:
        super().__init__()
        hidden = config.hidden
        self.heads = heads
        self.query_mlp = MLP(nn.Linear, (config.width, hidden, hidden, hidden))
        self.pix_mlp = MLP(Pointwise, (config.width, hidden, hidden, hidden))
        self.attn_mlp = MLP(Pointwise, (config.width, hidden, hidden, heads * hidden))
        self.bias_scaling = nn.Linear(1, 1)

    def forward(self, queries: Tensor, pixels: Tensor, grid: Grid, trace: Trace | None = None) -> Masks:
        """Decode queries (B, Q, C) and pixels (B, h * w, C) on a grid of h x w."""
        q = self.query_mlp(queries)  # (B, Q, c)
        logits = (q @ self.pix_mlp(pixels).transpose(1, 2)).unflatten(2, grid)
        bias = self._attention_bias(q, pixels).unflatten(3, grid)
        if trace:
            trace("mask_logits", logits)
            trace("attn_bias", bias)
        return Masks(logits, bias)

    def _attention_bias(self, q: Tensor, pixels: Tensor) -> Tensor:
        """Return (B, heads, Q, h * w).

        Officially every pixel gets heads * c channels from the last layer of
        ``attn_mlp``, which are then multiplied with ``q``. Both are linear, so
        the layer's weight is multiplied with ``q`` first: there are far fewer
        queries than pixels. The linear map of ``bias_scaling`` goes with it.
        """
        last = self.attn_mlp.layers[-1]
        weight, offset = last.weight.view(self.heads, q.shape[-1], -1), last.bias.view(self.heads, -1)
        scaled = q * self.bias_scaling.weight
        asked = torch.einsum("bqc,hcd->bhqd", scaled, weight)
        constant = (scaled @ offset.T).transpose(1, 2)[..., None] + self.bias_scaling.bias  # (B, heads, Q, 1)
        hidden = self.attn_mlp.hidden(pixels)[:, None]  # (B, 1, h * w, d)
        return asked @ hidden.transpose(-2, -1) + constant
