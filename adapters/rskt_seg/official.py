"""Official RSKT-Seg checkpoints: which settings a file was trained with, and what is wrong with it.

``model_final.pth`` is a Detectron2 checkpoint that holds everything, the
frozen encoders too. The settings are not written in it; they are read from the
names and shapes of its tensors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.cost_aggregation.family import (
    IGNORABLE,
    cost_channels,
    has,
    member,
    options_untold,
    sized,
)
from ovrisisbench.adapters.cost_aggregation.official_names import HEAD, PREDICTOR, TRAINED
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.rskt_seg.config import BACKBONES, Fusion, RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official_names import official_names
from ovrisisbench.adapters.settings import switch

__all__ = ["Reading", "compare", "file_layout", "is_gsnets_network", "read_settings", "report"]


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings that a checkpoint was trained with, as far as its tensors tell."""

    backbone: str
    config: RSKTSegConfig
    undetermined: Mapping[str, str]
    """Settings that the file cannot tell -> one sentence about each; the config holds the published value."""


def read_settings(shapes: Shapes) -> Reading:
    """Read backbone and settings from the tensors of an RSKT-Seg checkpoint.

    Tensors that are missing or misshapen count as published; :func:`compare`
    names them.
    """
    backbone, base = sized(shapes, BACKBONES)
    dino = has(shapes, "dino_model.")
    fusion, rotate = _fusion_and_rotation(shapes, dino=dino)
    config = replace(
        base,
        rotate=rotate,
        dino=dino,
        remote_clip=has(shapes, f"{PREDICTOR}clip_model_remote."),
        efficient=not any(".swin_block." in key for key in shapes),
        fusion=fusion,
        clip_guidance=has(shapes, f"{HEAD}CLIP_decoder_guidance_projection."),
        dino_guidance=has(shapes, f"{HEAD}DINO_decoder_guidance_projection."),
    )
    return Reading(backbone, config, _undetermined(config, shapes))


def is_gsnets_network(shapes: Shapes) -> bool:
    """Tell whether a file holds GSNet's network, which RSKT-Seg is without rotation, RemoteCLIP, efficient layers."""
    return member(shapes) == "gsnet"


def _fusion_and_rotation(shapes: Shapes, *, dino: bool) -> tuple[Fusion, bool]:
    channels = cost_channels(shapes)
    if not dino or has(shapes, f"{HEAD}conv2.") or has(shapes, f"{HEAD}fusion_corr."):
        return "separate", channels != 1
    return ("mean", True) if channels == 1 else ("concatenation", True)


def _undetermined(config: RSKTSegConfig, shapes: Shapes) -> dict[str, str]:
    unknown: dict[str, str] = {}
    if config.dino and config.fusion == "mean":
        unknown["rotate"] = (
            "A file with fusion=mean does not tell whether the image was rotated; on is assumed, "
            "say rotate=off if it was trained without."
        )
    if not config.dino:
        unknown["fusion"] = "Without DINO the kind of fusion has no effect and leaves no trace."
    if config.layers == 0:
        unknown["efficient"] = "Without aggregator layers their kind has no effect and leaves no trace."
    if not config.efficient:
        unknown |= options_untold(shapes)
    return unknown


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not RSKT-Seg's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    return compare(shapes, read_settings(shapes).config) if member(shapes) == "rskt-seg" else None


def compare(shapes: Shapes, config: RSKTSegConfig) -> CheckpointReport:
    """Compare a checkpoint with the network of ``config``: what is missing, misshapen, unused, rightly ignored."""
    reading, differences = read_settings(shapes), file_layout(config).compare(shapes)
    return CheckpointReport(
        model="rskt-seg",
        backbone=reading.backbone,
        settings=_as_settings(reading),
        ambiguous=tuple(reading.undetermined.values()),
        missing=differences.missing,
        unused=differences.unused,
        misshapen=differences.misshapen,
        ignored=differences.ignored,
    )


@cache
def file_layout(config: RSKTSegConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(
        build=partial(RSKTSeg, config),
        names=partial(official_names, efficient=config.efficient),
        ignorable=(*IGNORABLE, *_ignorable(config)),
        trained=TRAINED,
    )


def _ignorable(config: RSKTSegConfig) -> list[tuple[str, str]]:
    """Patterns of official keys that nothing reads with these settings, each with the reason."""
    remote = f"{re.escape(PREDICTOR)}clip_model_remote\\."
    behind = "|".join(map(str, range(config.remote_taps[-1] + 1, config.remote_tower.blocks)))
    rules = [
        (
            rf"{remote}visual\.(transformer\.resblocks\.({behind})\..+|ln_post\..+|proj)",
            "RemoteCLIP behind its second tap, never read",
        ),
        (rf"{remote}(?!visual\.).+", "RemoteCLIP's text tower, never run"),
    ]
    if not config.remote_guidance:
        rules.append((rf"{remote}.+", "RemoteCLIP, which nothing reads with these settings"))
    if not config.clip_guidance:
        rules.append((r"upsample[12](_remote)?\..+", "CLIP's feature adapters, for a decoder that does not take them"))
    if not config.dino_guidance:
        rules.append((r"dino_decod_proj[12]\..+", "DINO's feature adapters, for a decoder that does not take them"))
    return rules


def _as_settings(reading: Reading) -> dict[str, str]:
    """Every setting that the file tells, as it would be typed."""
    config = reading.config
    told: dict[str, str] = {
        "rotate": switch(config.rotate),
        "dino": switch(config.dino),
        "remote_clip": switch(config.remote_clip),
        "efficient": switch(config.efficient),
        "fusion": config.fusion,
        "layers": str(config.layers),
    }
    if not config.efficient:
        told["window"] = str(config.window)
    return {name: value for name, value in told.items() if name not in reading.undetermined}
