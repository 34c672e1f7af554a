"""CAT-Seg's network: the cost volume of CLIP features and class names, aggregated and enlarged."""

from __future__ import annotations

from torch import Tensor, nn

from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.aggregator import Aggregator
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.cost import clip_cost
from ovrisisbench.adapters.cost_aggregation.decoder import GuidedDecoder, clip_branches
from ovrisisbench.adapters.cost_aggregation.encoding import encode_clip
from ovrisisbench.adapters.cost_aggregation.layouts import as_tokens
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["CATSeg"]


class CATSeg(FamilyNetwork):
    """``cat_seg_model.py`` with ``modeling/transformer/model.py``.

    Args:
        config: sizes and options.
    """

    def __init__(self, config: FamilyConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = DenseCLIPImageTower(config.clip, grid=config.grid, taps=config.clip_taps)
        self.text = CLIPTextTower(config.clip.text)
        self.conv1 = nn.Conv2d(1, config.hidden, 7, padding=3)
        self.aggregator = Aggregator(config)
        self.decoder = GuidedDecoder(config, {"clip": clip_branches(config.clip.width, config)})

    def forward(self, images: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """See :meth:`FamilyNetwork.forward`."""
        clip = encode_clip(self.clip, images, side=self.config.clip_input, trace=trace)
        cost = clip_cost(clip.dense, text, orientations=1)  # (B, K, 1, h, w)
        if trace:
            trace("cost_clip", cost.transpose(1, 2))
        x = as_tokens(self.conv1(cost.flatten(0, 1))).unflatten(0, cost.shape[:2])
        x = self.aggregator(x, clip.upright, text, trace)
        logits: Tensor = self.decoder(x, {"clip": clip.taps}, trace)
        if trace:
            trace("logits", logits)
        return logits
