"""SAN's network: a side network proposes masks, CLIP names them under the bias that the side network gives it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.san.clip import CLIPFeatures, SplitCLIP
from ovrisisbench.adapters.san.config import SANConfig
from ovrisisbench.adapters.san.mask_decoder import Masks
from ovrisisbench.adapters.san.side_adapter import SideAdapterNetwork
from ovrisisbench.adapters.text.encoder import mean_direction

__all__ = ["SAN", "Proposals"]


class Proposals(NamedTuple):
    """Q masks for each of B images, and what is seen under them."""

    mask_logits: Tensor
    """(B, Q, h, w), at the resolution of the side network."""
    class_logits: Tensor
    """(B, Q, K + 1): cosines times CLIP's temperature, the background last."""


class SAN(nn.Module):
    """``san/model/san.py``.

    Args:
        config: sizes and options.
    """

    def __init__(self, config: SANConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = SplitCLIP(config)
        self.side = SideAdapterNetwork(config)
        self.text = CLIPTextTower(config.clip.text)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(100.0)))
        self.bg_embed = nn.Parameter(torch.randn(1, config.clip.embedding) * config.clip.embedding**-0.5)

    def classifier(self, vectors: Tensor) -> Tensor:
        """Return the rows of the classifier, the learned background last.

        Args:
            vectors: (K, P, C) unit vectors of K names in P templates, from ``self.text``.

        Returns:
            (K + 1, C) unit vectors.
        """
        return F.normalize(torch.cat([mean_direction(vectors, 1), self.bg_embed]), dim=-1)

    def forward(
        self,
        images: Tensor,
        classifier: Tensor,
        trace: Trace | None = None,
        auxiliary: list[Proposals] | None = None,
    ) -> Proposals:
        """Propose masks and classify them.

        Args:
            images: (B, 3, H, W) normalised and padded to multiples of 32.
            classifier: (K + 1, C) from :meth:`classifier`.
            trace: see :data:`Trace`.
            auxiliary: takes the proposals of the last side block but one, for training.
        """
        small = self.clip_input(images)
        features = self.clip.extract(small)
        if trace:
            trace("padded", images)
            trace("clip_input", small)
            _trace_features(features, self.config, trace)
        others: list[Masks] = []
        masks = self.side(images, features, trace, None if auxiliary is None else others)
        if auxiliary is not None:
            auxiliary.extend(self._classified(other, features, classifier) for other in others)
        return self._classified(masks, features, classifier, trace)

    def _classified(
        self, masks: Masks, features: CLIPFeatures, classifier: Tensor, trace: Trace | None = None
    ) -> Proposals:
        heads, queries = masks.bias.shape[1:3]
        # A patch of CLIP takes the largest bias of the cells that it covers; their windows may overlap.
        bias = F.adaptive_max_pool2d(masks.bias.flatten(1, 2), features.grid).unflatten(1, (heads, queries)).flatten(3)
        embeddings = self.clip.recognise(features.tokens, bias)
        class_logits = embeddings @ (classifier * self.logit_scale.exp()).T
        if trace:
            trace("attn_bias_pooled", bias)
            trace("mask_embeddings", embeddings)
            trace("class_logits", class_logits)
        return Proposals(masks.logits, class_logits)

    def clip_input(self, images: Tensor) -> Tensor:
        """Shrink padded images to what CLIP sees, each side rounded down.

        Given a factor, torch steps by exactly 1 / factor from one sample to
        the next; given the size it would step by the ratio of the rounded
        sizes, and shift the far side by up to a pixel.
        """
        factor = self.config.resolution
        return F.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)

    def encoders(self) -> tuple[nn.Module, ...]:
        """Return the two transformers over the image, where nearly all of the time goes."""
        return self.clip, self.side.vit_model


def _trace_features(features: CLIPFeatures, config: SANConfig, trace: Trace) -> None:
    for tap, values in zip(config.taps, features.taps, strict=True):
        trace(f"clip_feat_{tap}", values.transpose(1, 2).unflatten(2, features.grid))
    trace("clip_cls", features.tokens[:, 0])
