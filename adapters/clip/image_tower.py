"""CLIP's image tower, opened up: tokens in front, blocks one by one, the joint space behind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block, DenseBlock, QuickGELU
from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.clip.positions import Grid, resized_positions
from ovrisisbench.adapters.inference.folding import Foldable

__all__ = ["CLIPImageTower", "DenseCLIPImageTower", "DenseFeatures"]


class CLIPImageTower(VisionTransformer):
    """open_clip's vision transformer for any size of image.

    Weights keep open_clip's names, except that attention holds ``qkv``. It is
    not called as a whole: models take :meth:`tokens`, run :attr:`blocks` in
    their own way, and end with :meth:`projected`.

    Args:
        config: the architecture.
        blocks: transformer blocks to build; all of them by default.
        projects: False for a tower that is never projected: it has neither ``ln_post`` nor ``proj``.
    """

    def __init__(self, config: CLIPConfig, *, blocks: int | None = None, projects: bool = True) -> None:
        super().__init__(
            image_size=config.table * config.patch,
            patch_size=config.patch,
            width=config.width,
            layers=config.blocks if blocks is None else blocks,
            heads=config.heads,
            mlp_ratio=4.0,
            output_dim=config.embedding,
            act_layer=QuickGELU if config.quick_gelu else nn.GELU,
        )
        if not projects:
            del self.ln_post, self.proj
        self.transformer.resblocks = nn.ModuleList(Block(block) for block in self.transformer.resblocks)

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks, tokens (B, L, D) in and out."""
        return self.transformer.resblocks

    def tokens(self, images: Tensor) -> Tensor:
        """Return what the first block takes, (B, 1 + h * w, D), class token first.

        Args:
            images: normalised (B, 3, H, W); rows and columns that fill no patch are not seen.
        """
        patches = self.conv1(images)
        grid = (patches.shape[2], patches.shape[3])
        patches = patches.flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(patches), 1, -1), patches], dim=1)
        return self.ln_pre(x + self.positions(grid))

    def positions(self, grid: Grid) -> Tensor:
        """Return the position table for a grid, (1 + rows * columns, D): resized bicubically to it."""
        return resized_positions(self.positional_embedding, grid)

    def projected(self, x: Tensor) -> Tensor:
        """Bring tokens (..., D) that have passed the last block into the joint space, (..., C)."""
        return self.ln_post(x) @ self.proj


class DenseFeatures(NamedTuple):
    """What a dense image tower gives, class token first, L = 1 + grid * grid tokens."""

    dense: Tensor | None
    """(B, L, C): the joint-space feature of every token; None from a tower that is only tapped."""
    taps: tuple[Tensor, ...]
    """(B, L, D) each: outputs of the tapped blocks, no norm applied."""


class DenseCLIPImageTower(CLIPImageTower, Foldable):
    """The image tower of the CAT-Seg family: a dense last block, and taps.

    Args:
        config: the architecture.
        grid: tokens along one side of the inputs to come, which are square.
        taps: 0-based blocks whose outputs are handed out, in rising order.
        dense: False for a tower that is only tapped: it ends with the last
            tapped block and has neither ``ln_post`` nor ``proj``.
    """

    def __init__(self, config: CLIPConfig, *, grid: int, taps: tuple[int, ...], dense: bool = True) -> None:
        super().__init__(config, blocks=config.blocks if dense else taps[-1] + 1, projects=dense)
        self.grid, self.taps, self.dense = grid, taps, dense
        if dense:
            self.blocks[-1] = DenseBlock(self.blocks[-1])

    def forward(self, images: Tensor) -> DenseFeatures:
        """Encode normalised images (B, 3, H, W), H = W = grid * patch."""
        x = self.tokens(images)
        taps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                taps.append(x)
        return DenseFeatures(self.projected(x) if self.dense else None, tuple(taps))

    def positions(self, grid: Grid) -> Tensor:
        """Return the position table for a grid; the one for the usual grid is resized once."""
        if self.folded is not None and grid == (self.grid, self.grid):
            return self.folded[0]
        return super().positions(grid)

    def _fold(self) -> tuple[Tensor, ...]:
        return (super().positions((self.grid, self.grid)),)

    def _fold_sources(self) -> Iterable[Tensor]:
        return (self.positional_embedding,)
