"""The frozen remote-sensing DINO of GSNet and RSKT-Seg: a DINO v1 ViT-B with 8-pixel patches.

Papers of this family call it "ViT-B/32"; the published code and weights have
8-pixel patches. Names are those of the DINO repository.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch
from timm.layers import PatchEmbed
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from ovrisisbench.adapters.clip.positions import resized_positions
from ovrisisbench.adapters.inference.folding import Foldable

__all__ = ["DINO", "TINY_DINO", "DINOConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DINOConfig:
    """Sizes of the DINO tower."""

    patch: int = 8
    """Side of an image patch in pixels."""
    table: int = 28
    """Side of the grid that the stored position table covers."""
    width: int = 768
    blocks: int = 12
    heads: int = 12
    taps: tuple[int, ...] = (3, 7, 11)
    """0-based blocks whose outputs are used; the last one feeds the cost volume."""


TINY_DINO = DINOConfig(table=24, width=64, blocks=4, heads=2, taps=(1, 2, 3))
"""The same classes, only smaller: trained on the mini world, for tests and demonstrations."""


class DINO(Foldable):
    """timm's transformer blocks (fused attention, exact GELU) under DINO's names.

    Args:
        config: the architecture.
        grid: tokens along one side of the inputs to come.
    """

    def __init__(self, config: DINOConfig, *, grid: int) -> None:
        super().__init__()
        self.grid, self.taps, self.table = grid, config.taps, config.table
        self.patch_embed = PatchEmbed(
            img_size=None, patch_size=config.patch, embed_dim=config.width, strict_img_size=False
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.table**2, config.width))
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, qkv_bias=True, norm_layer=norm) for _ in range(config.blocks)
        )
        self.norm = norm(config.width)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Encode normalised images (B, 3, H, W), H = W = grid * patch.

        Returns:
            (B, 1 + grid * grid, D) for each tap, class token first. Every one
            has passed the *final* LayerNorm, the intermediate ones too.
        """
        patches = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self.positions()
        taps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                taps.append(self.norm(x))
        return tuple(taps)

    def positions(self) -> Tensor:
        """Return the position table for the grid, (1 + grid * grid, D)."""
        return self.folded[0] if self.folded is not None else self._resized()

    def _resized(self) -> Tensor:
        # DINO samples with the factor (48 + 0.1) / 28 instead of 48 / 28, a guard against rounding in older torch
        # versions that shifts the sampling points; the trained weights have seen it.
        factor = (self.grid + 0.1) / self.table
        return resized_positions(self.pos_embed[0], (self.grid, self.grid), scale=(factor, factor))

    def _fold(self) -> tuple[Tensor, ...]:
        return (self._resized(),)

    def _fold_sources(self) -> Iterable[Tensor]:
        return (self.pos_embed,)
