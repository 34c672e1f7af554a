"""What the models of the CAT-Seg family have in common, as data."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.cost_aggregation.layer import AggregatorConfig, Attention

__all__ = ["FamilyConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyConfig:
    """Everything that shapes CAT-Seg's network; ``configs/*.yaml`` of the official code.

    Sides of feature grids: ``grid`` for CLIP and the cost volume, four times
    that for the logits.
    """

    clip: CLIPConfig
    clip_taps: tuple[int, int]
    """0-based CLIP blocks that guide the decoder."""
    grid: int = 24
    hidden: int = 128
    """Channels of the cost volume."""
    image_guidance: int = 128
    text_guidance: int = 128
    adapter_dims: tuple[int, int] = (256, 128)
    """Channels of the tapped encoder maps after their feature adapters (``upsample1``, ``upsample2``)."""
    guidance_dims: tuple[int, int] = (32, 16)
    """Channels of each encoder's guidance in the two decoder stages."""
    decoder_dims: tuple[int, int] = (64, 32)
    layers: int = 2
    """Aggregator layers (``NUM_LAYERS``)."""
    pooling: int = 1
    window: int = 12
    heads: int = 4
    attention: Attention = "linear"

    @property
    def aggregator(self) -> AggregatorConfig:
        """Options of CAT-Seg's layers."""
        return AggregatorConfig(pooling=self.pooling, window=self.window, heads=self.heads, attention=self.attention)

    @property
    def clip_input(self) -> int:
        """Side of CLIP's input in pixels."""
        return self.grid * self.clip.patch
