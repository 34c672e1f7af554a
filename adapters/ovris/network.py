"""OVRIS's network: CAT-Seg's, with rotated costs and attention on the decoder's guidance."""

from __future__ import annotations

from torch import Tensor, nn

from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.aggregator import Aggregator
from ovrisisbench.adapters.cost_aggregation.cost import clip_cost
from ovrisisbench.adapters.cost_aggregation.decoder import GuidedDecoder, clip_branches
from ovrisisbench.adapters.cost_aggregation.encoding import encode_clip
from ovrisisbench.adapters.cost_aggregation.layouts import as_tokens
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.cost_aggregation.upsampling import UpsamplingStage
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.ovris.config import OVRISConfig
from ovrisisbench.adapters.ovris.up import Up

__all__ = ["OVRIS"]


class OVRIS(FamilyNetwork):
    """The four ``*_ours.py`` files of the official repository.

    Args:
        config: sizes and options.
    """

    config: OVRISConfig

    def __init__(self, config: OVRISConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = DenseCLIPImageTower(config.clip, grid=config.grid, taps=config.clip_taps)
        self.text = CLIPTextTower(config.clip.text)
        self.conv1 = nn.Conv2d(config.clip_maps, config.hidden, 7, padding=3)
        self.aggregator = Aggregator(config)
        self.decoder = GuidedDecoder(
            config,
            {"clip": clip_branches(config.clip.width, config)},
            stage=Up if config.guidance_attention else UpsamplingStage,
        )

    def forward(self, images: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """See :meth:`FamilyNetwork.forward`."""
        orientations = self.config.clip_maps
        clip = encode_clip(self.clip, images, side=self.config.clip_input, orientations=orientations, trace=trace)
        cost = clip_cost(clip.dense, text, orientations=orientations)  # (B, K, R, h, w)
        if trace:
            trace("cost_clip", cost.transpose(1, 2))
        x = as_tokens(self.conv1(cost.flatten(0, 1))).unflatten(0, cost.shape[:2])
        x = self.aggregator(x, clip.upright, text, trace)
        logits: Tensor = self.decoder(x, {"clip": clip.taps}, trace)
        if trace:
            trace("logits", logits)
        return logits
