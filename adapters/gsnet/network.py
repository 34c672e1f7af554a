"""GSNet's network: CAT-Seg's, with the costs and features of a remote-sensing image backbone (RSIB)."""

from __future__ import annotations

from torch import Tensor, nn

from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.aggregator import Aggregator
from ovrisisbench.adapters.cost_aggregation.cost import GatedFusion, clip_cost, cosine
from ovrisisbench.adapters.cost_aggregation.decoder import GuidedDecoder, clip_branches, dino_branches
from ovrisisbench.adapters.cost_aggregation.dino import DINO
from ovrisisbench.adapters.cost_aggregation.encoding import encode_clip, encode_dino
from ovrisisbench.adapters.cost_aggregation.layouts import as_tokens
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.gsnet.config import GSNetConfig
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["GSNet"]


class GSNet(FamilyNetwork):
    """``GSNet.py`` with ``RIPD.py`` and ``FusionAgg.py``; fusion is query-guided.

    Both encoders see the image as CLIP wants it normalised.

    Args:
        config: sizes and options.
    """

    config: GSNetConfig

    def __init__(self, config: GSNetConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = DenseCLIPImageTower(config.clip, grid=config.grid, taps=config.clip_taps)
        self.text = CLIPTextTower(config.clip.text)
        self.dino = DINO(config.rsib, grid=2 * config.grid)
        self.dino_down_sample = nn.Conv2d(config.rsib.width, config.clip.embedding, 2, stride=2)
        self.query_guided_fusion = GatedFusion(1, config.hidden)
        self.aggregator = Aggregator(config)
        branches = {
            "clip": clip_branches(config.clip.width, config),
            "dino": dino_branches(config.rsib.width, config),
        }
        self.decoder = GuidedDecoder(config, branches)

    def forward(self, images: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """See :meth:`FamilyNetwork.forward`."""
        clip = encode_clip(self.clip, images, side=self.config.clip_input, trace=trace)
        first, second, last = encode_dino(self.dino, images, side=self.config.rsib_input, trace=trace)
        features = self.dino_down_sample(last)
        of_clip = clip_cost(clip.dense, text, orientations=1)  # (B, K, 1, h, w)
        of_dino = cosine(features, text)[:, :, None]
        if trace:
            trace("dino_feat", features)
            trace("cost_clip", of_clip.transpose(1, 2))
            trace("cost_dino", of_dino.transpose(1, 2))
        x = self.query_guided_fusion(of_clip.flatten(0, 1), of_dino.flatten(0, 1), trace)
        x = as_tokens(x).unflatten(0, of_clip.shape[:2])
        x = self.aggregator(x, clip.upright, text, trace)
        logits: Tensor = self.decoder(x, {"clip": clip.taps, "dino": (first, second)}, trace)
        if trace:
            trace("logits", logits)
        return logits
