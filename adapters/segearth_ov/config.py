"""The published configuration of SegEarth-OV, and a tiny one."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.adapters.clip.config import VIT_B_16, CLIPConfig

__all__ = ["BACKBONES", "CLS_TOKEN_LAMBDA", "LOGIT_SCALE", "TINY", "VIT_B", "SegEarthOVConfig"]

CLS_TOKEN_LAMBDA = -0.3
"""Share of the class token's cosine that is added to every pixel's (``cls_token_lambda``)."""

LOGIT_SCALE = 50.0
"""Factor of the cosines before the softmax; CLIP's own temperature is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegEarthOVConfig:
    """Sizes of the network and of the windows that it sees; ``configs/base_config.py`` of the official code."""

    clip: CLIPConfig
    long_side: int = 448
    """Pixels to which the long side of an image is brought."""
    window: int = 224
    """Side of a window in pixels; the position table covers just this."""
    stride: int = 112
    steps: int = 4
    """Doublings of the up-sampler; they lead from a patch back to a pixel."""
    radius: int = 5
    """Reach of the up-sampler's kernels in pixels of the enlarged map."""
    key: int = 32
    """Channels in which the up-sampler compares pixels."""

    @property
    def taps(self) -> int:
        """Values of one kernel of the up-sampler."""
        return (2 * self.radius + 1) ** 2


VIT_B = SegEarthOVConfig(clip=VIT_B_16)
"""OpenAI's CLIP ViT-B/16 with the up-sampler ``jbu_one``."""

TINY = SegEarthOVConfig(
    clip=CLIPConfig(name="tiny", patch=16, table=4, width=64, blocks=3, embedding=32, text_width=64, text_blocks=2),
    long_side=96,
    window=64,
    stride=32,
    key=8,
)
"""The same classes, only smaller; for tests and demonstrations, no weights exist for it."""

BACKBONES = {"vit-b": VIT_B, "tiny": TINY}
