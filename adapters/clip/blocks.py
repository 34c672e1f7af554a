"""CLIP's transformer block, with attention that builds no attention map.

Both towers of open_clip are stacks of ``ResidualAttentionBlock``. The blocks
here take over its sub-modules and parameters; what differs is how they run:
one product for queries, keys and values, fused attention, and, for dense
features, the value path alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import Foldable

__all__ = ["Block", "DenseBlock", "QuickGELU", "SelfAttention"]


class QuickGELU(nn.Module):
    """OpenAI's approximation of GELU, ``x * sigmoid(1.702 x)``, with one temporary where it may be overwritten."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to every element."""
        gate = (1.702 * x).sigmoid_()
        return gate * x if torch.is_grad_enabled() else gate.mul_(x)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one matrix for queries, keys and values, in this order of rows."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        width = attention.embed_dim
        self.heads = attention.num_heads
        self.qkv = nn.Linear(width, 3 * width, device="meta")
        self.qkv.weight, self.qkv.bias = attention.in_proj_weight, attention.in_proj_bias
        self.out_proj = nn.Linear(width, width, device="meta")
        self.out_proj.weight, self.out_proj.bias = attention.out_proj.weight, attention.out_proj.bias

    def forward(self, x: Tensor, *, causal: bool = False, bias: Tensor | None = None) -> Tensor:
        """Attend among the tokens of each sequence, (B, L, D) -> (B, L, D); ``bias`` (B, L) is added for each key."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, L, d) each
        mask = None if bias is None else bias[:, None, None].to(q.dtype)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.out_proj(x.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Pre-norm transformer block: attention and MLP, each with a residual.

    Args:
        block: open_clip's block, or one of these; its sub-modules are taken over.
    """

    def __init__(self, block: ResidualAttentionBlock | Block) -> None:
        super().__init__()
        attention = block.attn
        self.ln_1 = block.ln_1
        self.attn = attention if isinstance(attention, SelfAttention) else SelfAttention(attention)
        self.ln_2, self.mlp = block.ln_2, block.mlp

    def forward(self, x: Tensor, *, causal: bool = False, bias: Tensor | None = None) -> Tensor:
        """Run the block over tokens (B, L, D); see :class:`SelfAttention`."""
        x = x + self.attn(self.ln_1(x), causal=causal, bias=bias)
        return x + self.mlp(self.ln_2(x))


class DenseBlock(Block, Foldable):
    """The last block of a tower that is read densely: every token keeps to its own place.

    Without attention, a token is only passed through the value and the output
    projection. What it is added to is the *class token* of the block's input,
    the same vector everywhere (CAT-Seg's ``model_vpt.py``). Queries and keys
    are never computed; the two projections fold into one matrix.
    """

    def forward(self, x: Tensor, *, causal: bool = False, bias: Tensor | None = None) -> Tensor:  # noqa: ARG002 - a block like the others
        """Run the block over tokens (B, L, D), the class token first."""
        x = self._value_path(self.ln_1(x)) + x[:, :1]
        return x + self.mlp(self.ln_2(x))

    def _value_path(self, y: Tensor) -> Tensor:
        if self.folded is not None:
            weight, bias = self.folded
            return F.linear(y, weight, bias)
        weight, bias = self._value_projection()
        return self.attn.out_proj(F.linear(y, weight, bias))

    def _value_projection(self) -> tuple[Tensor, Tensor]:
        width = self.attn.out_proj.in_features
        return self.attn.qkv.weight[2 * width :], self.attn.qkv.bias[2 * width :]

    def _fold_sources(self) -> Iterable[Tensor]:
        return (*self.attn.qkv.parameters(), *self.attn.out_proj.parameters())

    def _fold(self) -> tuple[Tensor, ...]:
        # In float64: the product is rounded once, like a weight that was stored.
        weight, bias = (tensor.double() for tensor in self._value_projection())
        out = self.attn.out_proj
        folded = out.weight.double() @ weight
        offset = torch.mv(out.weight.double(), bias) + out.bias.double()
        return folded.to(out.weight.dtype), offset.to(out.weight.dtype)
