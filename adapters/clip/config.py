"""The CLIP architectures as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VIT_B_16", "VIT_B_32", "VIT_L_14_336", "CLIPConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CLIPConfig:
    """Sizes of one CLIP model; every head is 64 channels wide unless the width is smaller."""

    name: str
    """The name OpenAI gave it."""
    patch: int
    """Side of an image patch in pixels."""
    table: int
    """Side of the grid that the stored position table covers, in patches."""
    width: int
    """Channels of the image tower."""
    blocks: int
    """Transformer blocks of the image tower."""
    embedding: int
    """Channels of the joint image-text space."""
    text_width: int
    text_blocks: int

    @property
    def heads(self) -> int:
        """Attention heads of the image tower."""
        return max(1, self.width // 64)

    @property
    def text_heads(self) -> int:
        """Attention heads of the text tower."""
        return max(1, self.text_width // 64)


VIT_B_16 = CLIPConfig(
    name="ViT-B/16", patch=16, table=14, width=768, blocks=12, embedding=512, text_width=512, text_blocks=12
)
VIT_B_32 = CLIPConfig(
    name="ViT-B/32", patch=32, table=7, width=768, blocks=12, embedding=512, text_width=512, text_blocks=12
)
VIT_L_14_336 = CLIPConfig(
    name="ViT-L/14@336px", patch=14, table=24, width=1024, blocks=24, embedding=768, text_width=768, text_blocks=12
)
