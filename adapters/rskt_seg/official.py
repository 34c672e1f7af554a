"""Official RSKT-Seg checkpoints: whose file it is, which settings it was trained with, what is wrong with it.

``model_final.pth`` is a Detectron2 checkpoint that holds everything, the
frozen encoders too. The settings are not written in it; they are read from the
names and shapes of its tensors.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.clip.renaming import stacked
from ovrisisbench.adapters.rskt_seg.config import TINY, VIT_B, VIT_L, Fusion, RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official_names import HEAD, PREDICTOR, official_names

__all__ = ["BACKBONES", "Reading", "Shapes", "compare", "owner", "read_settings", "renamed", "report"]

Shapes = Mapping[str, tuple[int, ...]]
"""Tensor shapes by official name."""

BACKBONES: Mapping[str, RSKTSegConfig] = {"vit-b": VIT_B, "vit-l": VIT_L, "tiny": TINY}


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings that a checkpoint was trained with, as far as its tensors tell."""

    backbone: str
    config: RSKTSegConfig
    undetermined: Mapping[str, str]
    """Settings that the file cannot tell -> one sentence about each; the config holds the published value."""


def owner(shapes: Shapes) -> str | None:
    """Return whose checkpoint has these tensors; None if it is no model known here.

    GSNet and RSKT-Seg share most of their names. RSKT-Seg without rotation,
    RemoteCLIP and efficient layers *is* GSNet's network; such a file is called
    GSNet's.
    """
    if any(key.startswith(f"{HEAD}Fusiondecoder") for key in shapes):
        return "RSKT-Seg" if _is_rskt_seg(shapes) else "GSNet"
    for name, telltale in (
        ("SED", f"{HEAD}decoder_corr_guidance_projection.0.0.weight"),
        ("OVRS", f"{HEAD}decoder1.cconv.weight"),
        ("CAT-Seg", f"{HEAD}decoder1.up.weight"),
        ("SAN", "side_adapter_network.mask_decoder.bias_scaling.weight"),
        ("SCAN", "LFM.conv1.weight"),
        ("CLIP", "visual.class_embedding"),
    ):
        if telltale in shapes:
            return name
    return None


def _is_rskt_seg(shapes: Shapes) -> bool:
    return (
        any(".spatial_fusion." in key for key in shapes)
        or "upsample1_remote.weight" in shapes
        or _cost_channels(shapes) in (4, 5)
        or not any(key.startswith("dino_model.") for key in shapes)
        or f"{HEAD}conv2.weight" not in shapes
    )


def _cost_channels(shapes: Shapes) -> int:
    """Input channels of the cost embedding; 0 where the tensor is missing or of another kind."""
    shape = shapes.get(f"{HEAD}conv1.weight", ())
    return shape[1] if len(shape) == 4 else 0


def read_settings(shapes: Shapes) -> Reading:
    """Read backbone and settings from the tensors of an RSKT-Seg checkpoint.

    Tensors that are missing or misshapen count as published; :func:`compare`
    names them.
    """
    width = _length(shapes, f"{PREDICTOR}clip_model.visual.class_embedding", VIT_B.clip.width)
    backbone = next((name for name, base in BACKBONES.items() if base.clip.width == width), "vit-b")
    base = BACKBONES[backbone]
    dino = _has(shapes, "dino_model.")
    fusion, rotate = _fusion_and_rotation(shapes, dino=dino)
    layers = {int(match[1]) for key in shapes if (match := re.match(rf"{re.escape(HEAD)}layers\.(\d+)\.", key))}
    efficient = not any(".swin_block." in key for key in shapes)
    window = _stored_window(shapes)
    config = replace(
        base,
        layers=max(layers, default=-1) + 1,
        hidden=_length(shapes, f"{HEAD}conv1.bias", base.hidden),
        image_guidance=_length(shapes, f"{HEAD}guidance_projection.0.bias", base.image_guidance),
        text_guidance=_length(shapes, f"{HEAD}text_guidance_projection.0.bias", base.text_guidance),
        rotate=rotate,
        dino=dino,
        remote_clip=_has(shapes, f"{PREDICTOR}clip_model_remote."),
        efficient=efficient,
        fusion=fusion,
        clip_guidance=_has(shapes, f"{HEAD}CLIP_decoder_guidance_projection."),
        dino_guidance=_has(shapes, f"{HEAD}DINO_decoder_guidance_projection."),
        window=window or base.window,
    )
    return Reading(backbone, config, _undetermined(config, window_is_stored=window is not None))


def _has(shapes: Shapes, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in shapes)


def _length(shapes: Shapes, key: str, published: int) -> int:
    shape = shapes.get(key, ())
    return shape[0] if len(shape) == 1 else published


def _fusion_and_rotation(shapes: Shapes, *, dino: bool) -> tuple[Fusion, bool]:
    channels = _cost_channels(shapes)
    if not dino or _has(shapes, f"{HEAD}conv2.") or _has(shapes, f"{HEAD}fusion_corr."):
        return "separate", channels != 1
    return ("mean", True) if channels == 1 else ("concatenation", True)


def _stored_window(shapes: Shapes) -> int | None:
    """Side of the windows, from the mask that the original aggregator stores beside its weights."""
    shape = shapes.get(f"{HEAD}layers.0.swin_block.block_2.attn_mask", ())
    return round(shape[1] ** 0.5) if len(shape) == 3 else None


def _undetermined(config: RSKTSegConfig, *, window_is_stored: bool) -> dict[str, str]:
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
        for name, published in (("pooling", "1"), ("heads", "4"), ("attention", "linear")):
            unknown[name] = f"A file with CAT-Seg's layers does not tell {name}; {published} is assumed, as published."
        if not window_is_stored:
            unknown["window"] = "The file lacks the masks that tell the side of the attention windows; 12 is assumed."
    return unknown


def renamed(state: Mapping[str, Tensor], config: RSKTSegConfig) -> dict[str, Tensor]:
    """Return the tensors of an official checkpoint under our names, float32 copies.

    Args:
        state: tensors by official name; :func:`compare` must find nothing missing.
        config: the settings it was trained with.
    """
    return stacked(state, _sources(_skeleton(config), config))


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not RSKT-Seg's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    return compare(shapes, read_settings(shapes).config) if owner(shapes) == "RSKT-Seg" else None


def compare(shapes: Shapes, config: RSKTSegConfig) -> CheckpointReport:
    """Compare a checkpoint with the network of ``config``: what is missing, misshapen, unused, rightly ignored."""
    reading, expected = read_settings(shapes), _expected_shapes(config)
    ignored = {key: reason for key in shapes if key not in expected and (reason := _reason_to_ignore(key, config))}
    return CheckpointReport(
        model="rskt-seg",
        backbone=reading.backbone,
        settings=_as_settings(reading),
        ambiguous=tuple(reading.undetermined.values()),
        missing=tuple(key for key in expected if key not in shapes),
        unused=tuple(key for key in shapes if key not in expected and key not in ignored),
        misshapen=tuple(
            f"{key}: {_times(shapes[key])} in the file, {_times(shape)} expected"
            for key, shape in expected.items()
            if key in shapes and tuple(shapes[key]) != shape
        ),
        ignored=tuple(f"{count} tensors: {reason}" for reason, count in Counter(ignored.values()).items()),
    )


@cache
def _skeleton(config: RSKTSegConfig) -> Mapping[str, Tensor]:
    """The network's state dict without memory behind it."""
    with torch.device("meta"):
        return RSKTSeg(config).state_dict()


def _sources(skeleton: Mapping[str, Tensor], config: RSKTSegConfig) -> dict[str, tuple[str, ...]]:
    return {key: official_names(key, efficient=config.efficient) for key in skeleton}


def _expected_shapes(config: RSKTSegConfig) -> dict[str, tuple[int, ...]]:
    skeleton = _skeleton(config)
    expected: dict[str, tuple[int, ...]] = {}
    for key, names in _sources(skeleton, config).items():
        rows, *rest = skeleton[key].shape
        expected |= {name: (rows // len(names), *rest) for name in names}
    return expected


def _reason_to_ignore(key: str, config: RSKTSegConfig) -> str:
    """Why an official key is rightly not read; empty if there is no reason."""
    return next((reason for pattern, reason in _ignorable(config) if re.fullmatch(pattern, key)), "")


@cache
def _ignorable(config: RSKTSegConfig) -> tuple[tuple[str, str], ...]:
    """Patterns of official keys that nothing reads, each with the reason."""
    remote = f"{re.escape(PREDICTOR)}clip_model_remote\\."
    behind = "|".join(map(str, range(config.remote_taps[-1] + 1, config.remote_tower.blocks)))
    rules = [
        (r".+\.logit_scale", "CLIP's temperature, stored but never used"),
        (r".+\.attn_mask", "the mask of the shifted windows, computed when it is needed"),
        (r"(clip_)?pixel_(mean|std)", "constants of the pre-processing"),
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
    return tuple(rules)


def _as_settings(reading: Reading) -> dict[str, str]:
    """Every setting that the file tells, as it would be typed."""
    config = reading.config
    told: dict[str, str] = {
        "rotate": _switch(config.rotate),
        "dino": _switch(config.dino),
        "remote_clip": _switch(config.remote_clip),
        "efficient": _switch(config.efficient),
        "fusion": config.fusion,
        "layers": str(config.layers),
    }
    if not config.efficient:
        told["window"] = str(config.window)
    return {name: value for name, value in told.items() if name not in reading.undetermined}


def _switch(state: bool) -> str:
    return "on" if state else "off"


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"
