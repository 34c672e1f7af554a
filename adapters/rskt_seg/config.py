"""The settings of RSKT-Seg's network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from ovrisisbench.adapters.clip.config import VIT_B_16, VIT_B_32, VIT_L_14_336, CLIPConfig
from ovrisisbench.adapters.cost_aggregation.dino import DINOConfig
from ovrisisbench.adapters.cost_aggregation.layer import AggregatorConfig, Attention

__all__ = ["TEMPLATE", "TINY", "VIT_B", "VIT_L", "Fusion", "RSKTSegConfig"]

TEMPLATE = "A photo of a {} in the scene"
"""The one prompt: no full stop, no article logic."""

Fusion = Literal["separate", "concatenation", "mean"]
"""How the CLIP and DINO costs become one volume (table 4 of the paper); without DINO it has no effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RSKTSegConfig:
    """Everything that shapes the network; ``configs/*.yaml`` of the official code.

    Sides of feature grids: ``grid`` for CLIP, RemoteCLIP and the cost volume,
    twice that for DINO, four times that for the logits.
    """

    clip: CLIPConfig
    clip_taps: tuple[int, int]
    """0-based CLIP blocks that guide the decoder (RS-Transfer)."""
    remote_tower: CLIPConfig = VIT_B_32
    remote_taps: tuple[int, int] = (3, 7)
    dino_tower: DINOConfig = field(default_factory=DINOConfig)
    grid: int = 24
    hidden: int = 128
    """Channels of the cost volume."""
    image_guidance: int = 128
    text_guidance: int = 128
    adapter_dims: tuple[int, int] = (256, 128)
    """Channels of the encoder maps after ``upsample*`` and ``dino_decod_proj*``."""
    guidance_dims: tuple[int, int] = (32, 16)
    """Channels of each encoder's guidance in the two decoder stages."""
    decoder_dims: tuple[int, int] = (64, 32)
    clip_guidance: bool = True
    """False (``DECODER_CLIP_GUIDANCE_DIMS`` [0, 0]) takes CLIP and RemoteCLIP out of the decoder."""
    dino_guidance: bool = True
    """False (``DECODER_DINO_GUIDANCE_DIMS`` [0, 0]) leaves DINO in the cost volume only."""

    # What users can set; names as in settings.py.
    rotate: bool = True
    """CLIP sees the image in four orientations (``USE_ROTATE``)."""
    dino: bool = True
    """``USE_REMOTE_DINO``."""
    remote_clip: bool = True
    """``USE_REMOTE_CLIP``."""
    efficient: bool = True
    """RS-Fusion's own layers; False for CAT-Seg's (``USE_EFFICIENT``)."""
    fusion: Fusion = "separate"
    layers: int = 5
    """N, the aggregator layers (``NUM_LAYERS``); 5 as in the released DLRSD weights."""
    pooling: int = 1
    window: int = 12
    heads: int = 4
    attention: Attention = "linear"

    @property
    def aggregator(self) -> AggregatorConfig:
        """Options of CAT-Seg's layers; the efficient ones have none."""
        return AggregatorConfig(pooling=self.pooling, window=self.window, heads=self.heads, attention=self.attention)

    @property
    def clip_input(self) -> int:
        """Side of CLIP's input in pixels."""
        return self.grid * self.clip.patch

    @property
    def remote_input(self) -> int:
        """Side of RemoteCLIP's input in pixels."""
        return self.grid * self.remote_tower.patch

    @property
    def dino_input(self) -> int:
        """Side of DINO's input in pixels."""
        return 2 * self.grid * self.dino_tower.patch

    @property
    def remote_guidance(self) -> bool:
        """RemoteCLIP serves the decoder only, and only together with CLIP."""
        return self.remote_clip and self.clip_guidance

    @property
    def clip_maps(self) -> int:
        """Orientations in which CLIP sees the image."""
        return 4 if self.rotate else 1

    @property
    def cost_channels(self) -> int:
        """Input channels of ``conv1``, the embedding of the cost."""
        if not self.dino or self.fusion == "separate":
            return self.clip_maps
        return self.clip_maps + 1 if self.fusion == "concatenation" else 1


VIT_B = RSKTSegConfig(clip=VIT_B_16, clip_taps=(3, 7))
"""CLIP ViT-B/16."""

VIT_L = RSKTSegConfig(clip=VIT_L_14_336, clip_taps=(7, 15))
"""CLIP ViT-L/14@336px."""

_TINY_CLIP = CLIPConfig(name="tiny", patch=16, table=6, width=64, blocks=4, embedding=32, text_width=64, text_blocks=2)

TINY = RSKTSegConfig(
    clip=_TINY_CLIP,
    clip_taps=(1, 2),
    remote_tower=replace(_TINY_CLIP, patch=32),
    remote_taps=(1, 2),
    dino_tower=DINOConfig(table=6, width=64, blocks=4, heads=2, taps=(1, 2, 3)),
    grid=6,
    hidden=64,
    image_guidance=64,
    text_guidance=64,
    adapter_dims=(32, 16),
    guidance_dims=(16, 16),
    decoder_dims=(32, 16),
    layers=2,
    window=3,
)
"""The same classes, only smaller; for tests and demonstrations, no weights exist for it."""
