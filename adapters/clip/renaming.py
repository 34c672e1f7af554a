"""From OpenAI's and CAT-Seg's key names to those of our towers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["fused_attention", "split_attention_names"]

_SPLIT = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def fused_attention(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the attention weights of CLIP to ``qkv``, stacking matrices that are stored apart.

    OpenAI and open_clip store ``in_proj_weight``, the CAT-Seg family
    ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight``; all store
    ``in_proj_bias`` in the order q, k, v. Everything else is passed on.
    """
    renamed: dict[str, Tensor] = {}
    for key, tensor in state.items():
        stem, _, name = key.rpartition(".")
        if name == _SPLIT[0]:
            renamed[f"{stem}.qkv.weight"] = torch.cat([state[f"{stem}.{part}"] for part in _SPLIT])
        elif name in ("in_proj_weight", "in_proj_bias"):
            renamed[f"{stem}.qkv.{name.removeprefix('in_proj_')}"] = tensor
        elif name not in _SPLIT:
            renamed[key] = tensor
    return renamed


def split_attention_names(key: str) -> tuple[str, ...]:
    """Return the names under which the CAT-Seg family stores the tensor that our towers call ``key``.

    Example:
        >>> split_attention_names("resblocks.0.attn.qkv.bias")
        ('resblocks.0.attn.in_proj_bias',)
        >>> split_attention_names("resblocks.0.ln_1.bias")
        ('resblocks.0.ln_1.bias',)
    """
    stem = key.removesuffix(".qkv.weight")
    if stem != key:
        return tuple(f"{stem}.{part}" for part in _SPLIT)
    stem = key.removesuffix(".qkv.bias")
    return (f"{stem}.in_proj_bias",) if stem != key else (key,)
