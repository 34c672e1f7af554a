"""The configurations of OVRIS: CAT-Seg's, with two additions that its ablations switch off."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.adapters.clip.config import TINY_CLIP, VIT_B_16, VIT_L_14_336
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig

__all__ = ["BACKBONES", "TINY", "VIT_B", "VIT_L", "OVRISConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OVRISConfig(FamilyConfig):
    """CAT-Seg's sizes and OVRIS's two additions."""

    rotate: bool = True
    """CLIP sees the image in four orientations; False in ``model_attention.py``."""
    guidance_attention: bool = True
    """The volume weighs the decoder's guidance; False in ``model_rotate.py``."""

    @property
    def clip_maps(self) -> int:
        """Orientations in which CLIP sees the image."""
        return 4 if self.rotate else 1


VIT_B = OVRISConfig(clip=VIT_B_16, clip_taps=(3, 7))
"""``configs/vitb_384.yaml``."""

VIT_L = OVRISConfig(clip=VIT_L_14_336, clip_taps=(7, 15))
"""``configs/vitl_336.yaml``."""

TINY = OVRISConfig(
    clip=TINY_CLIP,
    clip_taps=(1, 2),
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
