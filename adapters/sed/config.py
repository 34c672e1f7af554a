"""The two published configurations of SED, and a tiny one."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.adapters.clip.config import TextConfig

__all__ = ["BACKBONES", "CONVNEXT_B", "CONVNEXT_L", "TEMPLATES", "TINY", "SEDConfig"]

TEMPLATES = 80
"""Prompts for each class; every one is a channel of the cost volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SEDConfig:
    """Everything that shapes the network; ``configs/*.yaml`` of the official code."""

    depths: tuple[int, ...] = (3, 3, 27, 3)
    """Blocks of the image tower's stages."""
    dims: tuple[int, ...]
    """Channels of the image tower's stages."""
    mlp_head: bool = False
    """An MLP into the joint space instead of one matrix."""
    text: TextConfig
    side: int = 768
    """Side of the square that every image is squeezed to, in pixels; a multiple of 32."""
    hidden: int = 128
    """Channels of the embedded cost volume."""
    decoder_dims: tuple[int, ...] = (64, 32, 16)
    """Channels behind the decoder's stages, multiples of 16."""
    guidance_dims: tuple[int, ...] = (32, 16, 8)
    """Channels of the encoder's guidance in each stage, and of the cost volume's."""
    heads: int = 4
    kernel: int = 9
    """Side of the decoder's large kernels."""
    pooling: int = 1
    """Side of the pooling before attention over classes; 2 in training, 1 in the official ``eval.sh``."""
    early_rejection: int = 0
    """Classes that may be the best at one position (``TEST.TOPK``); 0 rejects none (``TEST.FAST_INFERENCE False``)."""

    @property
    def grid(self) -> int:
        """Side of the cost volume."""
        return self.side // 32


CONVNEXT_B = SEDConfig(
    dims=(128, 256, 512, 1024), text=TextConfig(width=640, blocks=12, embedding=640, quick_gelu=False)
)
"""``configs/convnextB_768.yaml`` with ``convnext_base_w_320`` of open_clip."""

CONVNEXT_L = SEDConfig(
    dims=(192, 384, 768, 1536),
    mlp_head=True,
    text=TextConfig(width=768, blocks=16, embedding=768, quick_gelu=False),
)
"""``configs/convnextL_768.yaml`` with ``convnext_large_d_320`` of open_clip."""

TINY = SEDConfig(
    depths=(1, 1, 2, 1),
    dims=(16, 24, 32, 40),
    mlp_head=True,
    text=TextConfig(width=64, blocks=2, embedding=32, quick_gelu=False),
    side=128,
    hidden=32,
    decoder_dims=(32, 16, 16),
    guidance_dims=(12, 8, 4),
)
"""The same classes, only smaller; for tests and demonstrations, no weights exist for it."""

BACKBONES = {"convnext-b": CONVNEXT_B, "convnext-l": CONVNEXT_L, "tiny": TINY}
