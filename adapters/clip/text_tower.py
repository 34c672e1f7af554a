"""CLIP's text tower: token ids in, one vector a prompt out."""

from __future__ import annotations

import torch
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block, QuickGELU
from ovrisisbench.adapters.clip.config import CONTEXT_LENGTH, VOCABULARY_SIZE, TextConfig

__all__ = ["CLIPTextTower"]


class CLIPTextTower(TextTransformer):
    """open_clip's text transformer; weights keep its names, except that attention holds ``qkv``."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__(
            context_length=CONTEXT_LENGTH,
            vocab_size=VOCABULARY_SIZE,
            width=config.width,
            heads=config.heads,
            layers=config.blocks,
            output_dim=config.embedding,
            act_layer=QuickGELU if config.quick_gelu else nn.GELU,
        )
        self.transformer.resblocks = nn.ModuleList(Block(block) for block in self.transformer.resblocks)
        del self.attn_mask  # attention is told to be causal instead

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode token ids (N, L), L at most 77; return (N, C), not normalised.

        Attention looks only backwards, so what follows the last end token of
        any row cannot reach a feature; those positions are cut off.
        """
        ends = tokens.argmax(dim=-1)  # the end token has the largest id
        tokens = tokens[:, : int(ends.max()) + 1]
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        for block in self.transformer.resblocks:
            x = block(x, causal=True)
        x = self.ln_final(x[torch.arange(len(x), device=x.device), ends])
        return x @ self.text_projection
