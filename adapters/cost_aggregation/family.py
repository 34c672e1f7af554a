"""Official files of the family: whose they are, and the sizes that their tensors tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.official_names import HEAD, PREDICTOR
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes

__all__ = ["IGNORABLE", "cost_channels", "family_report", "has", "length", "member", "options_untold", "sized"]

_Config = TypeVar("_Config", bound=FamilyConfig)

IGNORABLE = (
    (r".+\.logit_scale", "CLIP's temperature, stored but never used"),
    (r".+\.attn_mask", "the mask of the shifted windows, computed when it is needed"),
    (r"(clip_)?pixel_(mean|std)", "constants of the pre-processing"),
)
"""Tensors of official files that nothing reads, each with the reason."""


def member(shapes: Shapes) -> str | None:
    """Return the name of the model of the family that a file belongs to; None if it is none of them.

    GSNet and RSKT-Seg share most of their names. RSKT-Seg without rotation,
    RemoteCLIP and efficient layers *is* GSNet's network; such a file is called
    GSNet's. OVRIS without both of its additions is CAT-Seg.
    """
    if has(shapes, f"{HEAD}Fusiondecoder"):
        return "rskt-seg" if _is_rskt_seg(shapes) else "gsnet"
    if f"{HEAD}decoder1.up.weight" not in shapes or not has(shapes, f"{HEAD}layers."):
        return None  # SED has such a decoder too, but no aggregator
    return "ovris" if f"{HEAD}decoder1.cconv.weight" in shapes or cost_channels(shapes) == 4 else "cat-seg"


def has(shapes: Shapes, prefix: str) -> bool:
    """Tell whether a file has a tensor whose name begins so."""
    return any(key.startswith(prefix) for key in shapes)


def cost_channels(shapes: Shapes) -> int:
    """Return the input channels of the cost embedding; 0 where the tensor is missing or of another kind."""
    shape = shapes.get(f"{HEAD}conv1.weight", ())
    return shape[1] if len(shape) == 4 else 0


def length(shapes: Shapes, key: str, published: int) -> int:
    """Return the length of a vector in a file; ``published`` where it is missing or of another kind."""
    shape = shapes.get(key, ())
    return shape[0] if len(shape) == 1 else published


def sized(shapes: Shapes, bases: Mapping[str, _Config]) -> tuple[str, _Config]:
    """Read backbone and sizes from the tensors of a file; what is missing or misshapen counts as published.

    Args:
        shapes: shape of every tensor.
        bases: backbone -> its published configuration; the first counts where CLIP has an unknown width.
    """
    width = length(shapes, f"{PREDICTOR}clip_model.visual.class_embedding", 0)
    backbone = next((name for name, base in bases.items() if base.clip.width == width), next(iter(bases)))
    base = bases[backbone]
    layers = {int(match[1]) for key in shapes if (match := re.match(rf"{re.escape(HEAD)}layers\.(\d+)\.", key))}
    return backbone, replace(
        base,
        layers=max(layers, default=-1) + 1,
        hidden=length(shapes, f"{HEAD}conv1.bias", base.hidden),
        image_guidance=length(shapes, f"{HEAD}guidance_projection.0.bias", base.image_guidance),
        text_guidance=length(shapes, f"{HEAD}text_guidance_projection.0.bias", base.text_guidance),
        window=stored_window(shapes) or base.window,
    )


def stored_window(shapes: Shapes) -> int | None:
    """Return the side of the windows, from the mask that CAT-Seg's layers store beside their weights."""
    shape = shapes.get(f"{HEAD}layers.0.swin_block.block_2.attn_mask", ())
    return round(shape[1] ** 0.5) if len(shape) == 3 else None


def options_untold(shapes: Shapes) -> dict[str, str]:
    """Return options of CAT-Seg's layers that a file does not tell -> one sentence about each."""
    untold = {
        name: f"A file with CAT-Seg's layers does not tell {name}; {published} is assumed, as published."
        for name, published in (("pooling", "1"), ("heads", "4"), ("attention", "linear"))
    }
    if stored_window(shapes) is None:
        untold["window"] = "The file lacks the masks that tell the side of the attention windows; 12 is assumed."
    return untold


def family_report(
    model: str,
    backbone: str,
    config: FamilyConfig,
    shapes: Shapes,
    layout: FileLayout,
    *,
    settings: Mapping[str, str] | None = None,
) -> CheckpointReport:
    """Say what a file of CAT-Seg's layers holds.

    Args:
        model: name of the adapter.
        backbone: as read from the file.
        config: likewise.
        shapes: shape of every tensor in the file.
        layout: of the network of ``config``.
        settings: what else the file tells.
    """
    differences = layout.compare(shapes)
    untold = options_untold(shapes)
    return CheckpointReport(
        model=model,
        backbone=backbone,
        settings={"layers": str(config.layers), **(settings or {})},
        ambiguous=(untold["pooling"],),
        missing=differences.missing,
        unused=differences.unused,
        misshapen=differences.misshapen,
        ignored=differences.ignored,
    )


def _is_rskt_seg(shapes: Shapes) -> bool:
    # RSKT-Seg without DINO has no second cost embedding either, so its absence settles that case; GSNet's file may
    # lack the frozen DINO and is GSNet's still.
    return (
        any(".spatial_fusion." in key for key in shapes)
        or "upsample1_remote.weight" in shapes
        or cost_channels(shapes) in (4, 5)
        or f"{HEAD}conv2.weight" not in shapes
    )
