"""The side adapter network: a small transformer beside CLIP that proposes masks.

Section 3.2 of the paper; ``san/model/side_adapter/side_adapter.py``
(``RegionwiseSideAdapterNetwork``) and ``timm_wrapper.py``.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from timm.layers import PatchEmbed
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from ovrisisbench.adapters.clip.positions import Grid, resized_grid
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.san.clip import CLIPFeatures
from ovrisisbench.adapters.san.config import SANConfig, SideConfig
from ovrisisbench.adapters.san.mask_decoder import MaskDecoder, Masks
from ovrisisbench.adapters.san.pointwise import Pointwise

__all__ = ["SideAdapterNetwork"]

_EPS = 1e-6
"""Of every LayerNorm here, fusion included; CLIP's have 1e-5."""


class SideAdapterNetwork(nn.Module):
    """Queries and pixels in one sequence; CLIP's features are added to the pixels of the first blocks.

    Args:
        config: sizes of this network and of CLIP.
    """

    def __init__(self, config: SANConfig) -> None:
        super().__init__()
        side = config.side
        self.query_embed = nn.Parameter(_drawn(side.queries, side.width))
        self.query_pos_embed = nn.Parameter(_drawn(side.queries, side.width))
        self.vit_model = SideTransformer(side)
        self.fusion_layers = nn.ModuleDict(
            {f"layer_{index}": FusionLayer(config.clip.width, side.width) for index in range(len(config.taps))}
        )
        self.mask_decoder = MaskDecoder(side, heads=config.clip.heads)

    def forward(
        self,
        images: Tensor,
        clip: CLIPFeatures,
        trace: Trace | None = None,
        auxiliary: list[Masks] | None = None,
    ) -> Masks:
        """Propose masks.

        Args:
            images: normalised and padded (B, 3, H, W).
            clip: features of the same images.
            trace: see :data:`Trace`.
            auxiliary: takes the masks of the last block but one, for training.
        """
        batch, queries = len(images), self.query_embed.shape[1]
        pixels, grid = self.vit_model.patches(images)
        positions = torch.cat([self.query_pos_embed, self.vit_model.positions(grid)], dim=1)
        x = torch.cat([self.query_embed.expand(batch, -1, -1), pixels], dim=1) + positions  # (B, Q + L, C)
        x = self._fused(x, 0, clip, grid)
        for number, block in enumerate(self.vit_model.blocks, start=1):
            x = block(x)
            if trace:
                trace(f"side_block_{number}", x)
            if number < len(self.fusion_layers):
                x = self._fused(x, number, clip, grid)
            if auxiliary is not None and number == len(self.vit_model.blocks) - 1:
                auxiliary.append(self.mask_decoder(x[:, :queries], x[:, queries:], grid))
            if number < len(self.vit_model.blocks):
                x = x + positions  # again, of queries and pixels
        return self.mask_decoder(x[:, :queries], x[:, queries:], grid, trace)

    def _fused(self, x: Tensor, index: int, clip: CLIPFeatures, grid: Grid) -> Tensor:
        """Add CLIP's tapped features to the pixels of ``x``."""
        features = self.fusion_layers[f"layer_{index}"](clip.taps[index], clip.grid, grid)
        queries, pixels = x.split([x.shape[1] - features.shape[1], features.shape[1]], dim=1)
        return torch.cat([queries, pixels + features], dim=1)


class SideTransformer(nn.Module):
    """What the network has of timm's vision transformer: patches, positions, blocks; no class token, no last norm.

    Args:
        config: its sizes.
    """

    def __init__(self, config: SideConfig) -> None:
        super().__init__()
        self.patch, self.table = config.patch, config.table
        self.patch_embed = PatchEmbed(
            img_size=None, patch_size=config.patch, embed_dim=config.width, strict_img_size=False
        )
        self.pos_embed = nn.Parameter(_drawn(config.table**2, config.width))
        norm = partial(nn.LayerNorm, eps=_EPS)
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, qkv_bias=True, norm_layer=norm) for _ in range(config.blocks)
        )

    def patches(self, images: Tensor) -> tuple[Tensor, Grid]:
        """Return the patches (B, L, C) of images (B, 3, H, W), and how many rows and columns of them there are."""
        grid = (images.shape[-2] // self.patch, images.shape[-1] // self.patch)
        return self.patch_embed(images), grid

    def positions(self, grid: Grid) -> Tensor:
        """Return the position table for a grid, (1, L, C).

        The official code looks at the *number* of patches alone: a grid of
        another shape with as many patches as the table takes it as it is.
        """
        if grid[0] * grid[1] == self.pos_embed.shape[1]:
            return self.pos_embed
        return resized_grid(self.pos_embed[0], (self.table, self.table), grid)[None]


class FusionLayer(nn.Module):
    """CLIP's features for the pixels of one side block: normalised, projected, enlarged.

    Args:
        clip_width: channels of CLIP.
        width: channels of the side network.
    """

    def __init__(self, clip_width: int, width: int) -> None:
        super().__init__()
        self.input_proj = nn.Sequential(nn.LayerNorm(clip_width, eps=_EPS), Pointwise(clip_width, width))

    def forward(self, features: Tensor, clip_grid: Grid, grid: Grid) -> Tensor:
        """Return CLIP's features (B, N, D) on ``clip_grid`` as (B, L, C) on ``grid``."""
        projected = self.input_proj(features).transpose(1, 2).unflatten(2, clip_grid)
        return F.interpolate(projected, size=grid, mode="bilinear", align_corners=False).flatten(2).transpose(1, 2)


def _drawn(count: int, width: int) -> Tensor:
    """Random start values of ``count`` embeddings, (1, count, width)."""
    return 0.02 * torch.randn(1, count, width)
