"""From the key names of published files to those of our networks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["split_attention_names", "stacked"]

_SPLIT = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def split_attention_names(key: str) -> tuple[str, ...]:
    """Return the names under which the CAT-Seg family stores the tensor that our CLIP towers call ``key``.

    It keeps the matrices for queries, keys and values apart, but their biases
    together, in this order.

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


def stacked(state: Mapping[str, Tensor], sources: Mapping[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """Rename tensors, stacking along the first axis where several become one.

    A pure function: the result shares no memory with ``state``, which may be
    mapped from a file that changes later.

    Args:
        state: tensors by the name they have in the file.
        sources: for each new name the names in the file, all of which must be there.

    Returns:
        float32 tensors by new name.
    """
    return {name: torch.cat([state[part].float() for part in parts]) for name, parts in sources.items() if parts}
