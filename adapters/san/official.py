"""Official SAN checkpoints: a Detectron2 file that holds CLIP, cut in two, its text tower and the side network."""

from __future__ import annotations

import re
from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.renaming import Names, Source, fused_attention_names, rename
from ovrisisbench.adapters.san.config import BACKBONES, SANConfig
from ovrisisbench.adapters.san.network import SAN

__all__ = ["file_layout", "read_config", "report"]

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

_TRAINED = r"side_adapter_network\..+|ov_classifier\.bg_embed|clip_visual_extractor\.positional_embedding"
"""Official names of what the recipe trains: of CLIP only the position table of the image tower."""


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
        trained=_TRAINED,
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
