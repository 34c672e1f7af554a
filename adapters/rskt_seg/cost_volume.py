"""RS-CMA: the cost volume, cosine similarities of image features with class names.

CLIP contributes one cost map for every orientation of the image, turned back;
DINO one more. A few convolutions, shared by all classes, embed them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.layouts import as_maps, as_tokens
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.trace import Trace

__all__ = ["RSCMA"]


class RSCMA(nn.Module):
    """Equations 1 to 3 of the paper, as ``RSKT_Decoder.py`` computes them."""

    def __init__(self, config: RSKTSegConfig) -> None:
        super().__init__()
        self.fusion, self.clip_maps = config.fusion, config.clip_maps
        self.conv1 = nn.Conv2d(config.cost_channels, config.hidden, 7, padding=3)
        self.dino_down_sample: nn.Conv2d | None = None
        if config.dino:
            self.dino_down_sample = nn.Conv2d(config.dino_tower.width, config.clip.embedding, 2, stride=2)
            if config.fusion == "separate":
                self.conv2 = nn.Conv2d(1, config.hidden, 7, padding=3)
                self.fusion_corr = nn.Conv2d(2 * config.hidden, config.hidden, 7, padding=3)

    def forward(self, clip: Tensor, dino: Tensor | None, text: Tensor, trace: Trace | None = None) -> Tensor:
        """Correlate and embed.

        Args:
            clip: (R * B, L, C) dense CLIP features; the R orientations of the
                whole batch one after the other, 0, 90, 180, 270 degrees.
            dino: (B, D, 2h, 2w) map of DINO's last tap; None without DINO.
            text: (K, C) unit-norm embeddings.
            trace: see :data:`Trace`.

        Returns:
            (B, K, L, hidden).
        """
        costs = _cosine(as_maps(clip), text).unflatten(0, (self.clip_maps, -1))  # (R, B, K, h, w)
        clip_cost = torch.stack([cost.rot90(-turns, dims=(-2, -1)) for turns, cost in enumerate(costs)], dim=2)
        batch = clip_cost.shape[:2]  # (B, K); from here on classes are a batch dimension
        dino_cost = None
        if self.dino_down_sample is not None:
            features = self.dino_down_sample(dino)
            dino_cost = _cosine(features, text)[:, :, None]
            if trace:
                trace("dino_feat", features)
                trace("cost_dino", dino_cost.transpose(1, 2))
        if trace:
            trace("cost_clip", clip_cost.transpose(1, 2))
        embedded = self._embedded(clip_cost.flatten(0, 1), None if dino_cost is None else dino_cost.flatten(0, 1))
        return as_tokens(embedded).unflatten(0, batch)

    def _embedded(self, clip: Tensor, dino: Tensor | None) -> Tensor:
        """Embed (N, R, h, w) CLIP and (N, 1, h, w) DINO costs into (N, hidden, h, w)."""
        if dino is None:
            return self.conv1(clip)
        if self.fusion == "concatenation":
            return self.conv1(torch.cat([clip, dino], dim=1))
        if self.fusion == "mean":
            return self.conv1(torch.cat([clip, dino], dim=1).mean(dim=1, keepdim=True))
        of_clip, of_dino = self.conv1(clip).sigmoid(), self.conv2(dino).sigmoid()
        return self.fusion_corr(torch.cat([of_clip, of_dino], dim=1)).sigmoid() + of_clip


def _cosine(maps: Tensor, text: Tensor) -> Tensor:
    """Return the cosine similarity (N, K, h, w) of (N, C, h, w) maps with unit vectors (K, C)."""
    return torch.einsum("nchw,kc->nkhw", F.normalize(maps, dim=1), text)
