"""CLIP's two image towers: the frozen one for the whole image, the fine-tuned one for the crops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.scan.merging import merge_steps

__all__ = ["FrozenCLIP", "FrozenFeatures", "RegionCLIP"]


class FrozenFeatures(NamedTuple):
    """What the whole image gives, n patches."""

    taps: tuple[Tensor, ...]
    """(B, n, W) each: patch tokens after the tapped blocks, no norm applied."""
    classes: Tensor
    """(B, layers, W): the class token after each block of ``replace_after``."""
    embedding: Tensor
    """(B, D) in the joint space, not normalised."""


class FrozenCLIP(CLIPImageTower):
    """The tower that stays as it was trained, ``clip_adapter.original_clip``."""

    def forward(self, images: Tensor, *, taps: Sequence[int], replace_after: Sequence[int]) -> FrozenFeatures:
        """Encode normalised images (B, 3, S, S); blocks are counted from 1."""
        x, after = self.tokens(images), []
        for block in self.blocks:
            x = block(x)
            after.append(x)
        return FrozenFeatures(
            taps=tuple(after[number - 1][:, 1:] for number in taps),
            classes=torch.stack([after[number - 1][:, 0] for number in replace_after], dim=1),
            embedding=self.projected(x[:, 0]),
        )


class RegionCLIP(CLIPImageTower):
    """The tower with the contextual shift, ``clip_adapter.clip_model.visual``.

    After some blocks, some background patches of a crop take over the class
    token that the frozen tower has for the whole image (the official
    ``open_clip_training/src/open_clip/transformer.py``).
    """

    def forward(self, crops: Tensor, *, shift: Sequence[tuple[int, Tensor, Tensor]]) -> Tensor:
        """Encode normalised crops.

        Args:
            crops: (R, 3, S, S).
            shift: for each replacing block its number, counted from 1, which patches (R, n) bool to replace (on the
                CPU), and the token (W,) to replace them with.

        Returns:
            (R, D) in the joint space, not normalised.
        """
        x, bias = self.tokens(crops), None
        merges = merge_steps([patches for _, patches, _ in shift])
        replacing = {number: (merge, token) for (number, _, token), merge in zip(shift, merges, strict=True)}
        *blocks, last = self.blocks
        for number, block in enumerate(blocks, start=1):
            x = block(x, bias=bias)
            if number in replacing:
                merge, token = replacing[number]
                x = merge.apply(x, token)
                bias = merge.weights.to(x.device) if merge.weights.any() else None
        return self.projected(_class_token_after(last, x, bias))


def _class_token_after(block: Block, x: Tensor, bias: Tensor | None) -> Tensor:
    """Run a block over tokens (B, L, D) for the sake of its class token alone, (B, D).

    One query needs neither keys nor values of every token: brought back through
    the keys' matrix it meets the tokens themselves, and their mixture goes
    through the values' matrix. A bias of the keys moves all logits alike.
    """
    attention, y = block.attn, block.ln_1(x)
    weights = attention.qkv.weight.unflatten(0, (3, attention.heads, -1))  # (3, heads, d, D)
    to_query, to_key, to_value = weights.unbind()
    of_query, _, of_value = attention.qkv.bias.unflatten(0, (3, attention.heads, -1)).unbind()
    q = torch.einsum("bw,hdw->bhd", y[:, 0], to_query) + of_query
    meets = torch.einsum("bhd,hdw->bhw", q, to_key) @ y.transpose(1, 2)  # (B, heads, L)
    logits = meets * q.shape[-1] ** -0.5
    if bias is not None:
        logits = logits + bias[:, None]
    mixed = logits.softmax(dim=-1) @ y  # (B, heads, D)
    v = torch.einsum("bhw,hdw->bhd", mixed, to_value) + of_value
    token = x[:, 0] + attention.out_proj(v.flatten(1))
    after: Tensor = token + block.mlp(block.ln_2(token))
    return after
