"""CLIP's text tower: class names in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block, QuickGELU
from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.clip.prompts import CONTEXT_LENGTH, VOCABULARY_SIZE, tokenise

__all__ = ["CLIPTextTower"]


class CLIPTextTower(TextTransformer):
    """open_clip's text transformer; weights keep its names, except that attention holds ``qkv``."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(
            context_length=CONTEXT_LENGTH,
            vocab_size=VOCABULARY_SIZE,
            width=config.text_width,
            heads=config.text_heads,
            layers=config.text_blocks,
            output_dim=config.embedding,
            act_layer=QuickGELU,
        )
        self.transformer.resblocks = nn.ModuleList(Block(block) for block in self.transformer.resblocks)
        del self.attn_mask  # attention is told to be causal instead

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode token ids (T, L), L at most 77; return (T, C), not normalised.

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

    @torch.no_grad()
    def embed(self, prompts: Sequence[str]) -> Tensor:
        """Return the unit-norm embeddings (T, C) of T prompts, float32 whatever the precision around the call."""
        tokens = tokenise(prompts).to(self.positional_embedding.device)
        with torch.autocast(tokens.device.type, enabled=False):
            return F.normalize(self(tokens), dim=-1)
