"""The settings of RSKT-Seg's network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ovrisisbench.adapters.clip.config import TINY_CLIP, TINY_REMOTE_CLIP, VIT_B_16, VIT_B_32, VIT_L_14_336, CLIPConfig
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.dino import TINY_DINO, DINOConfig

__all__ = ["BACKBONES", "TINY", "VIT_B", "VIT_L", "Fusion", "RSKTSegConfig"]

Fusion = Literal["separate", "concatenation", "mean"]
"""How the CLIP and DINO costs become one volume (table 4 of the paper); without DINO it has no effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RSKTSegConfig(FamilyConfig):
    """Everything that shapes the network; ``configs/*.yaml`` of the official code.

    Sides of feature grids: ``grid`` for CLIP, RemoteCLIP and the cost volume,
    twice that for DINO, four times that for the logits.
    """

    remote_tower: CLIPConfig = VIT_B_32
    remote_taps: tuple[int, int] = (3, 7)
    dino_tower: DINOConfig = field(default_factory=DINOConfig)
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

TINY = RSKTSegConfig(
    clip=TINY_CLIP,
    clip_taps=(1, 2),
    remote_tower=TINY_REMOTE_CLIP,
    remote_taps=(1, 2),
    dino_tower=TINY_DINO,
    grid=12,
    hidden=32,
    image_guidance=32,
    text_guidance=32,
    adapter_dims=(32, 16),
    guidance_dims=(16, 16),
    decoder_dims=(32, 16),
    layers=2,
    window=3,
)
"""The same classes, only smaller, on encoders that were trained on the mini world."""

BACKBONES = {"vit-b": VIT_B, "vit-l": VIT_L, "tiny": TINY}
