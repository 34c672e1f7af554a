"""RS-CMA: the cost volume, cosine similarities of image features with class names.

CLIP contributes one cost map for every orientation of the image, turned back;
DINO one more. A few convolutions, shared by all classes, embed them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.cost import GatedFusion, clip_cost, cosine
from ovrisisbench.adapters.cost_aggregation.layouts import as_tokens
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig

__all__ = ["RSCMA"]


class RSCMA(nn.Module):
    """Equations 1 to 3 of the paper, as ``RSKT_Decoder.py`` computes them."""

    def __init__(self, config: RSKTSegConfig) -> None:
        super().__init__()
        self.fusion, self.clip_maps = config.fusion, config.clip_maps
        self.dino_down_sample: nn.Conv2d | None = None
        if config.dino:
            self.dino_down_sample = nn.Conv2d(config.dino_tower.width, config.clip.embedding, 2, stride=2)
        self.embedding: nn.Module
        if config.dino and config.fusion == "separate":
            self.embedding = GatedFusion(config.clip_maps, config.hidden)
        else:
            self.embedding = nn.Conv2d(config.cost_channels, config.hidden, 7, padding=3)

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
        of_clip = clip_cost(clip, text, orientations=self.clip_maps)  # (B, K, R, h, w)
        of_dino = None
        if self.dino_down_sample is not None:
            features = self.dino_down_sample(dino)
            of_dino = cosine(features, text)[:, :, None]
            if trace:
                trace("dino_feat", features)
                trace("cost_dino", of_dino.transpose(1, 2))
        if trace:
            trace("cost_clip", of_clip.transpose(1, 2))
        # From here on classes are a batch dimension.
        embedded = self._embedded(of_clip.flatten(0, 1), None if of_dino is None else of_dino.flatten(0, 1), trace)
        return as_tokens(embedded).unflatten(0, of_clip.shape[:2])

    def _embedded(self, clip: Tensor, dino: Tensor | None, trace: Trace | None) -> Tensor:
        """Embed (N, R, h, w) CLIP and (N, 1, h, w) DINO costs into (N, hidden, h, w)."""
        if dino is None:
            return self.embedding(clip)
        if self.fusion == "separate":
            return self.embedding(clip, dino, trace)
        costs = torch.cat([clip, dino], dim=1)
        return self.embedding(costs.mean(dim=1, keepdim=True) if self.fusion == "mean" else costs)
