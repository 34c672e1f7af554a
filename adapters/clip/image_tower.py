"""CLIP's image tower, read at every position instead of only at the class token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block, DenseBlock, QuickGELU
from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.clip.positions import resized_positions
from ovrisisbench.adapters.inference.folding import Foldable

__all__ = ["CLIPImageTower", "DenseFeatures"]


class DenseFeatures(NamedTuple):
    """What an image tower gives, class token first, L = 1 + grid * grid tokens."""

    dense: Tensor | None
    """(B, L, C): the joint-space feature of every token; None from a tower that is only tapped."""
    taps: tuple[Tensor, ...]
    """(B, L, D) each: outputs of the tapped blocks, no norm applied."""


class CLIPImageTower(VisionTransformer, Foldable):
    """open_clip's vision transformer with a dense last block and taps.

    Weights keep open_clip's names, except that attention holds ``qkv`` (see
    :mod:`ovrisisbench.adapters.clip.renaming`). Other than open_clip's it
    takes any square input whose side is a multiple of the patch; the position
    table is resized to it bicubically.

    Args:
        config: the architecture.
        grid: tokens along one side of the inputs to come.
        taps: 0-based blocks whose outputs are handed out, in rising order.
        dense: False for a tower that is only tapped: it ends with the last
            tapped block and has neither ``ln_post`` nor ``proj``.
    """

    def __init__(self, config: CLIPConfig, *, grid: int, taps: tuple[int, ...], dense: bool = True) -> None:
        super().__init__(
            image_size=config.table * config.patch,
            patch_size=config.patch,
            width=config.width,
            layers=config.blocks if dense else taps[-1] + 1,
            heads=config.heads,
            mlp_ratio=4.0,
            output_dim=config.embedding,
            act_layer=QuickGELU,
        )
        self.grid, self.taps, self.dense = grid, taps, dense
        blocks = [Block(block) for block in self.transformer.resblocks]
        if dense:
            blocks[-1] = DenseBlock(self.transformer.resblocks[-1])
        else:
            del self.ln_post, self.proj
        self.transformer.resblocks = nn.ModuleList(blocks)

    def forward(self, images: Tensor) -> DenseFeatures:
        """Encode normalised images (B, 3, H, W), H = W = grid * patch."""
        patches = self.conv1(images).flatten(2).transpose(1, 2)  # (B, L - 1, D)
        x = torch.cat([self.class_embedding.expand(len(patches), 1, -1), patches], dim=1)
        x = self.ln_pre(x + self.positions())
        taps = []
        for index, block in enumerate(self.transformer.resblocks):
            x = block(x)
            if index in self.taps:
                taps.append(x)
        return DenseFeatures(self.ln_post(x) @ self.proj if self.dense else None, tuple(taps))

    def positions(self) -> Tensor:
        """Return the position table resized to the grid, (L, D)."""
        if self.folded is not None:
            return self.folded[0]
        return resized_positions(self.positional_embedding, self.grid)

    def _fold(self) -> tuple[Tensor, ...]:
        return (resized_positions(self.positional_embedding, self.grid),)

    def _fold_sources(self) -> Iterable[Tensor]:
        return (self.positional_embedding,)
