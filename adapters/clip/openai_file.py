"""CLIP as OpenAI publishes it, one file with both towers; open_clip's files of the same models have the same names.

The networks that read such a file call the image tower ``clip`` and the text
tower ``text``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.official_files.layout import Shapes
from ovrisisbench.adapters.official_files.renaming import Rules, fused_attention_names, rename

__all__ = ["GELU_UNTOLD", "IGNORABLE", "holds_clip", "is_made_of", "name_in_file", "whose_sizes"]

_RULES: Rules = ((r"^clip\.", "visual."), (r"^text\.", ""))

_PARTS = (
    "attn_mask",
    "context_length",
    "input_resolution",
    "ln_final",
    "logit_scale",
    "positional_embedding",
    "text_projection",
    "token_embedding",
    "transformer",
    "visual",
    "vocab_size",
)
"""First parts of all names in such a file."""

_TELL_TALE = ("visual.class_embedding", "visual.conv1.weight", "visual.proj", "text_projection")

_SIZES = ("visual.class_embedding", "visual.conv1.weight")
"""Tensors whose last axis is the width of the image tower, and the side of its patches in pixels."""

IGNORABLE = (
    (r"input_resolution|context_length|vocab_size", "sizes that the other tensors tell"),
    (r"logit_scale", "CLIP's temperature, which is not used"),
    (r"(.+\.)?attn_mask", "the mask of the text tower, which attention is told instead"),
)
"""Entries of such a file that nothing reads, each with the reason."""

GELU_UNTOLD = (
    "The file does not tell who trained this CLIP; OpenAI's approximation of GELU is assumed, and a model that was "
    "trained with the exact one would be computed wrongly."
)


def name_in_file(key: str) -> str:
    """Return the name under which a file has the tensor that a network calls ``key``.

    Example:
        >>> name_in_file("clip.transformer.resblocks.0.attn.qkv.weight")
        'visual.transformer.resblocks.0.attn.in_proj_weight'
        >>> name_in_file("text.ln_final.bias")
        'ln_final.bias'
    """
    return fused_attention_names(rename(key, _RULES))


def holds_clip(shapes: Shapes) -> bool:
    """Tell whether a file has both towers of a CLIP with a vision transformer."""
    return all(key in shapes for key in _TELL_TALE)


def is_made_of(shapes: Shapes, others: Collection[str] = ()) -> bool:
    """Tell whether a file has nothing but parts of CLIP.

    Args:
        shapes: shape of every tensor in the file.
        others: first parts of names that may be there too.
    """
    return {key.split(".", maxsplit=1)[0] for key in shapes} <= {*_PARTS, *others}


def whose_sizes(shapes: Shapes, towers: Mapping[str, CLIPConfig]) -> str | None:
    """Return the backbone whose image tower is as wide as the file's, on patches as large; None if there is none."""
    width, patch = (shapes[key][-1] if shapes[key] else 0 for key in _SIZES)
    return next((name for name, tower in towers.items() if (tower.width, tower.patch) == (width, patch)), None)
