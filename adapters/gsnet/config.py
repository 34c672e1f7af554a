"""The configurations of GSNet: one official, one as the paper of the benchmark must have used it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ovrisisbench.adapters.clip.config import TINY_CLIP, VIT_B_16, VIT_L_14_336
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.dino import TINY_DINO, DINOConfig

__all__ = ["BACKBONES", "TINY", "VIT_B", "VIT_L", "GSNetConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GSNetConfig(FamilyConfig):
    """CAT-Seg's sizes and those of RSIB, the remote-sensing image backbone."""

    rsib: DINOConfig = field(default_factory=DINOConfig)

    @property
    def rsib_input(self) -> int:
        """Side of RSIB's input in pixels."""
        return 2 * self.grid * self.rsib.patch


VIT_B = GSNetConfig(clip=VIT_B_16, clip_taps=(3, 7))
"""``configs/vitb_384.yaml``."""

VIT_L = GSNetConfig(clip=VIT_L_14_336, clip_taps=(7, 15))
"""Not official: the published code writes 512 channels where ViT-L has 768 and stops there. Here RSIB's features are
brought to the text's dimension, as in RSKT-Seg's code, which descends from it; the paper reports such rows."""

TINY = GSNetConfig(
    clip=TINY_CLIP,
    clip_taps=(1, 2),
    rsib=TINY_DINO,
    grid=12,
    hidden=32,
    image_guidance=32,
    text_guidance=32,
    adapter_dims=(32, 16),
    guidance_dims=(16, 16),
    decoder_dims=(32, 16),
    window=3,
)
"""The same classes, only smaller, on encoders that were trained on the mini world."""

BACKBONES = {"vit-b": VIT_B, "vit-l": VIT_L, "tiny": TINY}
