"""The CLIP architectures as data."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = [
    "CONTEXT_LENGTH",
    "TINY_CLIP",
    "TINY_REMOTE_CLIP",
    "VIT_B_16",
    "VIT_B_32",
    "VIT_L_14",
    "VIT_L_14_336",
    "VOCABULARY_SIZE",
    "CLIPConfig",
    "TextConfig",
]

CONTEXT_LENGTH = 77
"""Tokens that a text tower takes, start and end included."""

VOCABULARY_SIZE = 49408
"""Entries of CLIP's token table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """Sizes of one text tower; every head is 64 channels wide unless the width is smaller."""

    width: int
    blocks: int
    embedding: int
    """Channels of the joint image-text space."""
    quick_gelu: bool = True
    """OpenAI's approximation of GELU; models trained on LAION and DataComp have the exact one."""

    @property
    def heads(self) -> int:
        """Attention heads."""
        return max(1, self.width // 64)


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
    quick_gelu: bool = True
    """OpenAI's approximation of GELU in both towers; False for the exact one."""

    @property
    def heads(self) -> int:
        """Attention heads of the image tower."""
        return max(1, self.width // 64)

    @property
    def text(self) -> TextConfig:
        """The text tower."""
        return TextConfig(
            width=self.text_width, blocks=self.text_blocks, embedding=self.embedding, quick_gelu=self.quick_gelu
        )


VIT_B_16 = CLIPConfig(
    name="ViT-B/16", patch=16, table=14, width=768, blocks=12, embedding=512, text_width=512, text_blocks=12
)
VIT_B_32 = CLIPConfig(
    name="ViT-B/32", patch=32, table=7, width=768, blocks=12, embedding=512, text_width=512, text_blocks=12
)
VIT_L_14 = CLIPConfig(
    name="ViT-L/14", patch=14, table=16, width=1024, blocks=24, embedding=768, text_width=768, text_blocks=12
)
VIT_L_14_336 = CLIPConfig(
    name="ViT-L/14@336px", patch=14, table=24, width=1024, blocks=24, embedding=768, text_width=768, text_blocks=12
)
TINY_CLIP = CLIPConfig(name="tiny", patch=8, table=12, width=64, blocks=4, embedding=64, text_width=64, text_blocks=2)
"""The same classes, only smaller: trained on the mini world, for tests and demonstrations."""
TINY_REMOTE_CLIP = replace(TINY_CLIP, patch=16)
"""As :data:`TINY_CLIP`, for images of twice the side."""
