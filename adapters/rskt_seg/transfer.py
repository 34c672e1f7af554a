"""RS-Transfer: the decoder, which brings in intermediate features of all encoders on the way to full size."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.layouts import as_maps
from ovrisisbench.adapters.cost_aggregation.upsampling import GuidanceBranch, UpsamplingStage
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.trace import Trace

__all__ = ["RSTransfer"]

_TRACE_NAMES = {"clip": "guid_clip", "remote_clip": "guid_remote", "dino": "guid_dino"}


class RSTransfer(nn.Module):
    """Two guided up-sampling stages and the head (``RSKT_Upsample.py``).

    ``branches`` maps an encoder to its two guidance branches, for the middle
    and the full resolution, in the order in which they are concatenated: CLIP,
    RemoteCLIP, DINO.
    """

    def __init__(self, config: RSKTSegConfig) -> None:
        super().__init__()
        grid, (mid, full) = config.grid, config.decoder_dims
        self.branches = nn.ModuleDict()
        if config.clip_guidance:
            self.branches["clip"] = _clip_branches(config.clip.width, config)
        if config.remote_guidance:
            self.branches["remote_clip"] = _clip_branches(config.remote_tower.width, config)
        if config.dino and config.dino_guidance:
            self.branches["dino"] = _dino_branches(config)
        clip_dims = config.guidance_dims if config.clip_guidance else (0, 0)
        joined = [len(self.branches) * channels for channels in config.guidance_dims]
        self.decoder1 = UpsamplingStage(config.hidden, config.hidden - clip_dims[0], joined[0], mid, grid=grid)
        self.decoder2 = UpsamplingStage(mid, mid - clip_dims[1], joined[1], full, grid=2 * grid)
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
        for stage, (decoder, side) in enumerate(((self.decoder1, 2), (self.decoder2, 4))):
            guidance = [branches[stage](features[name][stage]) for name, branches in self.branches.items()]
            if trace:
                for name, branches in self.branches.items():
                    adapted = branches[stage].upsample(features[name][stage])
                    trace(f"{_TRACE_NAMES[name]}_{24 * side}", adapted)
            x = decoder(x, torch.cat(guidance, dim=1) if guidance else None)
            if trace:
                trace(f"up_{stage + 1}", x)
        return self.head(x.flatten(0, 1)).unflatten(0, x.shape[:2])[:, :, 0]


def _clip_branches(width: int, config: RSKTSegConfig) -> nn.ModuleList:
    (mid, full), (mid_out, full_out) = config.adapter_dims, config.guidance_dims
    return nn.ModuleList(
        [
            GuidanceBranch(nn.ConvTranspose2d(width, mid, 2, stride=2), mid_out, grid=config.grid),
            GuidanceBranch(nn.ConvTranspose2d(width, full, 4, stride=4), full_out, grid=config.grid),
        ]
    )


def _dino_branches(config: RSKTSegConfig) -> nn.ModuleList:
    (mid, full), (mid_out, full_out), width = config.adapter_dims, config.guidance_dims, config.dino_tower.width
    return nn.ModuleList(
        [
            GuidanceBranch(nn.Conv2d(width, mid, 1), mid_out, grid=2 * config.grid),
            GuidanceBranch(nn.ConvTranspose2d(width, full, 2, stride=2), full_out, grid=2 * config.grid),
        ]
    )
