"""Official SAN checkpoints: a Detectron2 file that holds CLIP, cut in two, its text tower and the side network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.renaming import Names, Source, fused_attention_names, rename
from ovrisisbench.adapters.san.config import BACKBONES, SANConfig
from ovrisisbench.adapters.san.network import SAN

__all__ = ["DECAYED_NORMS", "FINETUNED", "UNDECAYED", "file_layout", "name_in_clip", "read_config", "report"]

_TELLTALE = "side_adapter_network.mask_decoder.bias_scaling.weight"
_LOSS_WEIGHTS = "criterion.empty_weight"

_FRONT, _BACK, _TEXT, _SIDE = "clip_visual_extractor.", "clip_rec_head.", "ov_classifier.", "side_adapter_network."

_RULES = (
    (r"^side\.", _SIDE),
    (r"^text\.", _TEXT),
    (r"^(bg_embed|logit_scale)$", rf"{_TEXT}\1"),
    (r"^clip\.(ln_post|proj)\b", rf"{_BACK}\1"),
    (r"^clip\.(transformer\.)?", _FRONT),
)

_IGNORABLE = (
    (re.escape(_LOSS_WEIGHTS), "class weights of the training loss, one for each training class and the background"),
    (r"ov_classifier\.attn_mask", "the mask of the text tower, whose attention is told to be causal instead"),
)
"""Tensors of official files that nothing reads, each with the reason."""

_SIDE_NETWORK = r"side_adapter_network\..+|ov_classifier\.bg_embed"
_CLIP_POSITIONS = r"clip_visual_extractor\.positional_embedding"

FINETUNED: Mapping[str, str] = {"none": _SIDE_NETWORK, "clip": rf"{_SIDE_NETWORK}|{_CLIP_POSITIONS}"}
"""Official names of what learns: the side network, the background, and the position table of CLIP's image tower."""

UNDECAYED = rf"side_adapter_network\.(query_embed|query_pos_embed|vit_model\.pos_embed)|{_CLIP_POSITIONS}"
"""Official names of tables that do not decay."""

DECAYED_NORMS = r"side_adapter_network\.fusion_layers\..+"
"""Official names of layer norms of a class of the authors' own, which their optimiser decays like any weight."""


def read_config(shapes: Shapes) -> tuple[str, SANConfig]:
    """Read the backbone from the width of CLIP; an unknown one counts as the first that is published."""
    shape = shapes.get(f"{_FRONT}class_embedding", ())
    fitting = (name for name, config in BACKBONES.items() if tuple(shape) == (config.clip.width,))
    backbone = next(fitting, next(iter(BACKBONES)))
    return backbone, BACKBONES[backbone]


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not SAN's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if _TELLTALE not in shapes:
        return None
    backbone, config = read_config(shapes)
    differences = file_layout(config).compare(shapes)
    weights = shapes.get(_LOSS_WEIGHTS, ())
    return CheckpointReport(
        model="san",
        backbone=backbone,
        trained_classes=weights[0] - 1 if len(weights) == 1 else None,
        missing=differences.missing,
        unused=differences.unused,
        misshapen=differences.misshapen,
        ignored=differences.ignored,
    )


@cache
def file_layout(config: SANConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(
        build=partial(SAN, config),
        names=partial(_names, front=config.front),
        ignorable=_IGNORABLE,
        trained=FINETUNED["clip"],
    )


def _names(key: str, *, front: int) -> Names:
    """What one of our tensors is in an official file.

    Attention is fused under CLIP's own names in CLIP, and called as here in the
    side network; the blocks of CLIP's second part count from 0 again.
    """
    official = rename(key, _RULES)
    if official.startswith(_SIDE):
        return (Source(official),)
    block = re.match(rf"{re.escape(_FRONT)}resblocks\.(\d+)\.(.+)", official)
    if block and int(block[1]) >= front:
        official = f"{_BACK}resblocks.{int(block[1]) - front}.{block[2]}"
    return (Source(fused_attention_names(official)),)


def name_in_clip(official: str, *, front: int) -> str | None:
    """Return the name that CLIP's own file gives to a tensor of an official file; None for what is not CLIP's.

    Args:
        official: in a file of SAN.
        front: CLIP blocks of the first part.

    Example:
        >>> name_in_clip("clip_rec_head.resblocks.1.ln_1.bias", front=9)
        'visual.transformer.resblocks.10.ln_1.bias'
        >>> name_in_clip("ov_classifier.ln_final.bias", front=9)
        'ln_final.bias'
    """
    if official.startswith(_TEXT):
        name = official.removeprefix(_TEXT)
        return None if name == "bg_embed" else name
    for prefix, shift in ((_FRONT, 0), (_BACK, front)):
        if official.startswith(prefix):
            name = official.removeprefix(prefix)
            block = re.fullmatch(r"resblocks\.(\d+)\.(.+)", name)
            return f"visual.transformer.resblocks.{int(block[1]) + shift}.{block[2]}" if block else f"visual.{name}"
    return None
