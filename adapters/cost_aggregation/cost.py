"""The cost volume: cosine similarities of image features with class names."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.layouts import as_maps
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["GatedFusion", "clip_cost", "cosine"]


def cosine(maps: Tensor, text: Tensor) -> Tensor:
    """Return the cosine similarity (N, K, h, w) of (N, C, h, w) maps with unit vectors (K, C)."""
    return torch.einsum("nchw,kc->nkhw", F.normalize(maps, dim=1), text)


def clip_cost(dense: Tensor, text: Tensor, *, orientations: int) -> Tensor:
    """Return one cost map for every orientation of the images, turned back to lie on the upright image.

    Args:
        dense: (R * B, L, C) dense CLIP features; the R orientations of the
            whole batch one after the other, 0, 90, 180, 270 degrees counter-clockwise.
        text: (K, C) unit-norm embeddings.
        orientations: R.

    Returns:
        (B, K, R, h, w).
    """
    costs = cosine(as_maps(dense), text).unflatten(0, (orientations, -1))  # (R, B, K, h, w)
    return torch.stack([cost.rot90(-turns, dims=(-2, -1)) for turns, cost in enumerate(costs)], dim=2)


class GatedFusion(nn.Module):
    """CLIP's and DINO's costs through convolutions and sigmoids into one volume.

    GSNet's query-guided fusion (``RIPD.py``), RSKT-Seg's "separate" one.

    Args:
        clip_maps: CLIP's cost maps for each class.
        hidden: channels of the volume.
    """

    def __init__(self, clip_maps: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(clip_maps, hidden, 7, padding=3)
        self.conv2 = nn.Conv2d(1, hidden, 7, padding=3)
        self.fusion_corr = nn.Conv2d(2 * hidden, hidden, 7, padding=3)

    def forward(self, clip: Tensor, dino: Tensor, trace: Trace | None = None) -> Tensor:
        """Fuse (N, R, h, w) CLIP and (N, 1, h, w) DINO costs of N classes into (N, hidden, h, w)."""
        of_clip, of_dino = self.conv1(clip), self.conv2(dino)
        if trace:
            trace("conv1", of_clip)
            trace("conv2", of_dino)
        of_clip, of_dino = of_clip.sigmoid(), of_dino.sigmoid()
        joined = self.fusion_corr(torch.cat([of_clip, of_dino], dim=1))
        if trace:
            trace("fusion_corr", joined)
        return joined.sigmoid() + of_clip
