"""The decoder: two guided up-sampling stages and the head, from the aggregated volume to logits."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps
from ovrisisbench.adapters.cost_aggregation.upsampling import GuidanceBranch, UpsamplingStage
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["GuidedDecoder", "clip_branches", "dino_branches"]


class GuidedDecoder(nn.Module):
    """Enlarges the volume four times; intermediate encoder maps guide it on the way.

    Args:
        config: sizes.
        branches: encoder -> its two guidance branches, for the middle and the full resolution, in the
            order in which their maps are concatenated.
        up_channels: channels of the volume after each transposed convolution; by default what the guidance of
            one encoder leaves of the channels that come in.
        stage: the kind of up-sampling stage.
    """

    def __init__(
        self,
        config: FamilyConfig,
        branches: Mapping[str, nn.ModuleList],
        *,
        up_channels: tuple[int, int] | None = None,
        stage: type[UpsamplingStage] = UpsamplingStage,
    ) -> None:
        super().__init__()
        grid, (mid, full), (mid_guidance, full_guidance) = config.grid, config.decoder_dims, config.guidance_dims
        up = up_channels or (config.hidden - mid_guidance, mid - full_guidance)
        joined = [len(branches) * channels for channels in config.guidance_dims]
        self.branches = nn.ModuleDict(branches)
        self.decoder1 = stage(config.hidden, up[0], joined[0], mid, grid=grid)
        self.decoder2 = stage(mid, up[1], joined[1], full, grid=2 * grid)
        self.head = nn.Conv2d(full, 1, 3, padding=1)

    def forward(self, x: Tensor, features: Mapping[str, tuple[Tensor, ...]], trace: Trace | None = None) -> Tensor:
        """Enlarge the aggregated volume to logits.

        Args:
            x: (B, K, L, C) aggregated cost volume.
            features: for each encoder in ``branches`` the (B, D, h, w) maps of its two taps.
            trace: see :data:`Trace`.

        Returns:
            (B, K, 4 h, 4 w) logits.
        """
        x = as_maps(x)
        for stage, decoder in enumerate((self.decoder1, self.decoder2)):
            guidance = [branches[stage](features[name][stage]) for name, branches in self.branches.items()]
            if trace:
                for name, branches in self.branches.items():
                    trace(f"guid_{name}_{stage}", branches[stage].upsample(features[name][stage]))
            x = decoder(x, torch.cat(guidance, dim=1) if guidance else None)
            if trace:
                trace(f"up_{stage + 1}", x)
        logits: Tensor = self.head(x.flatten(0, 1)).unflatten(0, x.shape[:2])[:, :, 0]
        return logits


def clip_branches(width: int, config: FamilyConfig) -> nn.ModuleList:
    """Return the guidance branches of a CLIP tower: ``upsample1``, ``upsample2`` and their projections."""
    (mid, full), (mid_out, full_out) = config.adapter_dims, config.guidance_dims
    return nn.ModuleList(
        [
            GuidanceBranch(nn.ConvTranspose2d(width, mid, 2, stride=2), mid_out, grid=config.grid),
            GuidanceBranch(nn.ConvTranspose2d(width, full, 4, stride=4), full_out, grid=config.grid),
        ]
    )


def dino_branches(width: int, config: FamilyConfig) -> nn.ModuleList:
    """Return the guidance branches of DINO: ``dino_decod_proj1``, ``dino_decod_proj2`` and their projections."""
    (mid, full), (mid_out, full_out) = config.adapter_dims, config.guidance_dims
    return nn.ModuleList(
        [
            GuidanceBranch(nn.Conv2d(width, mid, 1), mid_out, grid=2 * config.grid),
            GuidanceBranch(nn.ConvTranspose2d(width, full, 2, stride=2), full_out, grid=2 * config.grid),
        ]
    )
