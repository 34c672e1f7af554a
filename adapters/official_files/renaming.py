"""From the key names of published files to those of our networks, as pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Names", "Rules", "Source", "fused_attention_names", "rename", "renamed", "split_attention_names"]

Rules = Sequence[tuple[str, str]]
"""Pairs of a pattern and its replacement."""


class Source(NamedTuple):
    """A tensor in an official file, or some of its rows."""

    key: str
    part: int = 0
    """Which of ``parts`` equal blocks of rows, counted from 0."""
    parts: int = 1


Names = tuple[Source, ...]
"""What one of our tensors is made of: stacked along the first axis, in this order."""

_SPLIT = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def rename(key: str, *tables: Rules) -> str:
    r"""Apply to a key the first rule that matches of each table, one table after the other.

    Example:
        >>> rename("text.ln_final.bias", [(r"^text\.", "clip."), (r"bias$", "never")], [(r"bias$", "b")])
        'clip.ln_final.b'
    """
    for rules in tables:
        for pattern, replacement in rules:
            new, count = re.subn(pattern, replacement, key)
            if count:
                key = new
                break
    return key


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
    return (fused_attention_names(key),)


def fused_attention_names(key: str) -> str:
    """Return the name under which CLIP's own files store the tensor that our CLIP towers call ``key``.

    Example:
        >>> fused_attention_names("resblocks.0.attn.qkv.weight")
        'resblocks.0.attn.in_proj_weight'
    """
    return re.sub(r"\.qkv\.(weight|bias)$", r".in_proj_\1", key)


def renamed(state: Mapping[str, Tensor], names: Mapping[str, Names]) -> dict[str, Tensor]:
    """Rename tensors, cutting out rows and stacking them where names say so.

    A pure function: the result shares no memory with ``state``, which may be
    mapped from a file that changes later.

    Args:
        state: tensors by the name they have in the file.
        names: for each new name what it is made of; all of it must be there.

    Returns:
        float32 tensors by new name.
    """
    return {new: _joined([_rows(state[source.key], source) for source in sources]) for new, sources in names.items()}


def _rows(tensor: Tensor, source: Source) -> Tensor:
    return tensor if source.parts == 1 else tensor.chunk(source.parts)[source.part]


def _joined(parts: Sequence[Tensor]) -> Tensor:
    first, *others = parts
    # A copy even where nothing is joined: the file may go.
    return torch.cat([part.float() for part in parts]) if others else first.to(torch.float32, copy=True)
