"""CLIP's image tower with self-self attention in its last block."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.clip.positions import Grid, resized_positions

__all__ = ["SelfSelfBlock", "SelfSelfImageTower"]

_DINO_OFFSET = 0.1


class SelfSelfBlock(nn.Module):
    """The last block of the tower: tokens attend where queries, keys or values resemble their own.

    The three attention maps are added, so that their rows sum to three. There
    is neither residual nor MLP.

    Args:
        block: CLIP's last block; its first norm and its attention are taken over.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.ln_1, self.attn = block.ln_1, block.attn

    def forward(self, x: Tensor) -> Tensor:
        """Run the block over tokens (B, L, D), the class token among them."""
        qkv = self.attn.qkv(self.ln_1(x)).unflatten(-1, (3, self.attn.heads, -1)).permute(2, 0, 3, 1, 4)
        value = qkv[2]  # (B, heads, L, d)
        x = sum(F.scaled_dot_product_attention(part, part, value) for part in qkv)
        return self.attn.out_proj(x.transpose(1, 2).flatten(2))


class SelfSelfImageTower(CLIPImageTower):
    """The image tower, one feature of the joint space for every token.

    Args:
        config: the architecture.
    """

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(config)
        self.table = config.table
        self.blocks[-1] = SelfSelfBlock(self.blocks[-1])

    def forward(self, images: Tensor) -> Tensor:
        """Encode normalised images (B, 3, H, W), sides multiples of a patch; return (B, 1 + h * w, C)."""
        x = self.tokens(images)
        for block in self.blocks:
            x = block(x)
        return self.projected(x)

    def positions(self, grid: Grid) -> Tensor:
        """Return the position table for a grid; it is sampled as DINO samples its own, a little off the even cells."""
        rows, columns = ((side + _DINO_OFFSET) / self.table for side in grid)
        return resized_positions(self.positional_embedding, grid, scale=(rows, columns))
