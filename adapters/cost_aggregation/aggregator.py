"""The aggregator: guidance projections, and N layers that mix the cost volume over space and over classes."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.layer import AggregatorLayer
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps, as_tokens
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["Aggregator"]


class Aggregator(nn.Module):
    """Shapes: ``x`` is (B, K, L, C), the hidden cost volume of K classes at L = h * w places.

    Args:
        config: sizes.
        layer: makes one layer with the parts ``spatial(x, image guidance)``
            and ``classes(x, text guidance)``; by default CAT-Seg's.
    """

    def __init__(self, config: FamilyConfig, layer: Callable[[], nn.Module] | None = None) -> None:
        super().__init__()
        channels = config.clip.embedding
        self.image_projection = nn.Conv2d(channels, config.image_guidance, 3, padding=1)
        self.text_projection = nn.Linear(channels, config.text_guidance)
        make = layer or (
            lambda: AggregatorLayer(config.hidden, config.image_guidance, config.text_guidance, config.aggregator)
        )
        self.layers = nn.ModuleList(make() for _ in range(config.layers))

    def forward(self, x: Tensor, image: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """Aggregate.

        Args:
            x: (B, K, L, C) embedded cost volume.
            image: (B, L, D) dense CLIP features of the upright image, not normalised.
            text: (K, D) unit-norm embeddings.
            trace: see :data:`Trace`.

        Returns:
            (B, K, L, C).
        """
        image_maps = F.relu(self.image_projection(as_maps(image)))
        image_guidance, text_guidance = as_tokens(image_maps), F.relu(self.text_projection(text))
        if trace:
            trace("proj_guidance", image_maps)
            trace("proj_text", text_guidance)
            trace("cost_embed", _volume(x))
        for index, layer in enumerate(self.layers):
            x = layer.spatial(x, image_guidance)
            if trace:
                trace(f"layer_{index}_spatial", _volume(x))
            x = layer.classes(x, text_guidance)
            if trace:
                trace(f"layer_{index}", _volume(x))
        return x


def _volume(x: Tensor) -> Tensor:
    """(B, K, L, C) -> (B, C, K, h, w), the official layout."""
    return as_maps(x).transpose(1, 2)
