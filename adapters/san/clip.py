"""CLIP's image tower cut in two: a feature extractor in front, recognition with attention bias behind.

The second part classifies proposals. Each has a token of its own, a copy of
the class token that attends to the patches under the proposal's bias and to
itself, while nothing attends to it (section 3.2 of the paper;
``san/model/clip_utils/visual.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.clip.positions import Grid
from ovrisisbench.adapters.inference.folding import Foldable
from ovrisisbench.adapters.san.config import SANConfig

__all__ = ["CLIPFeatures", "SplitCLIP"]


class CLIPFeatures(NamedTuple):
    """What the first part of CLIP gives for B images on a grid of N patches."""

    taps: tuple[Tensor, ...]
    """(B, N, D) each: the patches at the tapped places, no norm applied."""
    tokens: Tensor
    """(B, 1 + N, D): what the second part takes, class token first."""
    grid: Grid
    """Rows and columns, N = rows * columns."""


class SplitCLIP(CLIPImageTower, Foldable):
    """The image tower as ``clip_visual_extractor`` and ``clip_rec_head`` share it.

    Args:
        config: the architecture, and where the tower is cut.
    """

    def __init__(self, config: SANConfig) -> None:
        super().__init__(config.clip)
        self.patch, self.taps, self.front = config.clip.patch, config.taps, config.front
        self.usual_grid = config.usual_grid

    def extract(self, images: Tensor) -> CLIPFeatures:
        """Run the first part over normalised images (B, 3, H, W)."""
        grid = (images.shape[-2] // self.patch, images.shape[-1] // self.patch)
        tokens = self.tokens(images)
        taps = []
        for done in range(self.front + 1):
            if done:
                tokens = self.blocks[done - 1](tokens)
            if done in self.taps:
                taps.append(tokens[:, 1:])
        return CLIPFeatures(tuple(taps), tokens, grid)

    def recognise(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Run the second part and return what CLIP sees under each proposal.

        Class token and patches see none of the proposals' tokens, so they run
        as in plain CLIP, and their last outputs are not needed.

        Args:
            tokens: (B, 1 + N, D) from :meth:`extract`.
            bias: (B, heads, Q, N) added to the attention logits of Q proposals and N patches.

        Returns:
            (B, Q, C) unit vectors in the joint space.
        """
        of_proposals = tokens[:, :1].expand(-1, bias.shape[2], -1)  # the official code's "sos" tokens
        x = torch.cat([tokens, of_proposals], dim=1)  # (B, 1 + N + Q, D)
        *blocks, last = self.blocks[self.front :]
        for block in blocks:
            x = _run(block, x, bias)
        return F.normalize(self.projected(_run(last, x, bias, proposals_only=True)), dim=-1)

    def positions(self, grid: Grid) -> Tensor:
        """Return the position table for a grid; the one of a square image is resized once."""
        if self.folded is not None and grid == self.usual_grid:
            return self.folded[0]
        return super().positions(grid)

    def _fold(self) -> tuple[Tensor, ...]:
        return (super().positions(self.usual_grid),)

    def _fold_sources(self) -> Iterable[Tensor]:
        return (self.positional_embedding,)


def _run(block: Block, x: Tensor, bias: Tensor, *, proposals_only: bool = False) -> Tensor:
    """Run a block over class token, patches and proposals (B, 1 + N + Q, D), or only on to the proposals (B, Q, D)."""
    attention, plain = block.attn, x.shape[1] - bias.shape[2]
    q, k, v = attention.qkv(block.ln_1(x)).unflatten(-1, (3, attention.heads, -1)).permute(2, 0, 3, 1, 4)
    attended = _biased_attention(q[:, :, plain:], k[:, :, 1:], v[:, :, 1:], bias)
    if proposals_only:
        x = x[:, plain:]
    else:
        among = F.scaled_dot_product_attention(q[:, :, :plain], k[:, :, :plain], v[:, :, :plain])
        attended = torch.cat([among, attended], dim=2)
    x = x + attention.out_proj(attended.transpose(1, 2).flatten(2))
    return x + block.mlp(block.ln_2(x))


def _biased_attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Attend from proposals to the patches, with bias, and to themselves, without.

    The official code adds -100 for all others; what is that far below the
    proposal's own logit does not count.

    Args:
        q: (B, heads, Q, d).
        k: (B, heads, N + Q, d): patches, then proposals.
        v: likewise.
        bias: (B, heads, Q, N).
    """
    patches = bias.shape[-1]
    q = q * q.shape[-1] ** -0.5
    to_patches = q @ k[:, :, :patches].transpose(-2, -1) + bias
    to_self = (q * k[:, :, patches:]).sum(dim=-1, keepdim=True)
    weights = torch.cat([to_patches, to_self], dim=-1).softmax(dim=-1)  # (B, heads, Q, N + 1)
    return weights[..., :patches] @ v[:, :, :patches] + weights[..., patches:] * v[:, :, patches:]
