"""The two CLIP models, at the sizes at which the CAT-Seg family sees images, and a tiny one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovrisisbench.adapters.clip.config import TINY_CLIP, VIT_B_16, VIT_L_14_336, CLIPConfig

__all__ = ["BACKBONES", "TINY", "VIT_B", "VIT_L", "Dense", "PlainCLIPConfig"]

Dense = Literal["value", "ordinary"]
"""What the last block does: without attention, after MaskCLIP, or as it was trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCLIPConfig:
    """What shapes the network."""

    clip: CLIPConfig
    grid: int = 24
    """Patches along a side of the input."""
    dense: Dense = "value"

    @property
    def side(self) -> int:
        """Side of the input in pixels."""
        return self.grid * self.clip.patch


VIT_B = PlainCLIPConfig(clip=VIT_B_16)
"""At 384 x 384; the position table, made for 224 x 224, is resized bicubically."""

VIT_L = PlainCLIPConfig(clip=VIT_L_14_336)
"""At 336 x 336."""

TINY = PlainCLIPConfig(clip=TINY_CLIP, grid=TINY_CLIP.table)
"""The same classes, only smaller, on the CLIP that was trained on the mini world."""

BACKBONES = {"vit-b": VIT_B, "vit-l": VIT_L, "tiny": TINY}
