"""Building an RSKT-Seg network: from an official checkpoint, or untrained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.fusion import EfficientLayer
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official import (
    BACKBONES,
    Reading,
    Shapes,
    compare,
    owner,
    read_settings,
    renamed,
)
from ovrisisbench.adapters.rskt_seg.settings import Value, typed
from ovrisisbench.errors import AdapterError, CheckpointError, did_you_mean

__all__ = ["from_checkpoint", "untrained"]

Wishes = Mapping[str, Value]
"""Settings of the network that were asked for, by their name in ``RSKTSegConfig``."""

_OF_ORIGINAL_LAYERS = ("pooling", "window", "heads", "attention")


def untrained(backbone: str, wishes: Wishes, *, seed: int) -> RSKTSeg:
    """Build a network with the official start values, the same for the same seed.

    The encoders start at random too: nothing is downloaded.

    Raises:
        AdapterError: an unknown backbone, or settings that exclude each other.
    """
    config = _configured(_base(backbone), wishes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = RSKTSeg(config)
        for layer in network.fusion.layers:
            if isinstance(layer, EfficientLayer):
                _start(layer)
    return network


def from_checkpoint(path: Path, backbone: str, wishes: Wishes) -> RSKTSeg:
    """Build the network that an official checkpoint is for, and load it.

    Raises:
        CheckpointError: the file is another model's, of another backbone,
            incomplete, or contradicts what was asked for.
        AdapterError: an unknown backbone, or settings that exclude each other.
    """
    _base(backbone)
    state = read_state_dict(path)
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    _check_owner(path, shapes, wishes)
    reading = read_settings(shapes)
    if reading.backbone != backbone:
        raise CheckpointError(f"{path} is for {reading.backbone}, not {backbone}; say --backbone {reading.backbone}.")
    _check_wishes(path, reading, wishes)
    config = _configured(reading.config, wishes)
    _check_tensors(path, shapes, config)
    with torch.device("meta"):
        network = RSKTSeg(config)
    network.load_state_dict(renamed(state, config), assign=True)
    return network


def _base(backbone: str) -> RSKTSegConfig:
    if backbone not in BACKBONES:
        raise AdapterError(
            f"RSKT-Seg has no backbone {backbone!r}; there are {', '.join(BACKBONES)}."
            f"{did_you_mean(backbone, BACKBONES)}"
        )
    return BACKBONES[backbone]


def _configured(config: RSKTSegConfig, wishes: Wishes) -> RSKTSegConfig:
    changes: dict[str, Any] = dict(wishes)
    config = replace(config, **changes)
    if config.dino and config.fusion == "concatenation" and not config.rotate:
        raise AdapterError(
            "fusion=concatenation with DINO needs the rotations (the official code stops there too); "
            "say rotate=on, dino=off or another fusion."
        )
    for name in _OF_ORIGINAL_LAYERS:
        if config.efficient and name in wishes:
            raise AdapterError(f"{name} belongs to CAT-Seg's layers; leave it out or say efficient=off.")
    if not config.efficient and config.hidden % config.heads:
        raise AdapterError(f"heads={config.heads} does not divide the {config.hidden} channels of the cost volume.")
    for name, side in (("pooling", config.pooling), ("window", min(config.window, config.grid))):
        if config.grid % side:
            raise AdapterError(
                f"{name}={side} does not divide the {config.grid}x{config.grid} grid of the cost volume."
            )
    return config


def _check_owner(path: Path, shapes: Shapes, wishes: Wishes) -> None:
    found = owner(shapes)
    same_network = {"rotate": False, "remote_clip": False, "efficient": False}
    if found == "RSKT-Seg" or (found == "GSNet" and same_network.items() <= wishes.items()):
        return
    if found is None:
        raise CheckpointError(f"{path} is not an RSKT-Seg checkpoint: it has no up-sampler (Fusiondecoder1) in it.")
    hint = "choose the model it belongs to with --model, or another file"
    if found == "GSNet":
        hint += (
            "; if it is RSKT-Seg trained as the same network, say so with rotate=off, remote_clip=off, efficient=off"
        )
    raise CheckpointError(f"{path} is a checkpoint of {found}, not of RSKT-Seg; {hint}.")


def _check_wishes(path: Path, reading: Reading, wishes: Wishes) -> None:
    for name, wish in wishes.items():
        found = getattr(reading.config, name)
        told_by_file = name not in reading.undetermined and not (
            reading.config.efficient and name in _OF_ORIGINAL_LAYERS
        )
        if told_by_file and wish != found:
            raise CheckpointError(
                f"{path} was trained with {name}={typed(found)}, so {name}={typed(wish)} cannot be had from it; "
                "leave the setting out or choose another file."
            )


def _check_tensors(path: Path, shapes: Shapes, config: RSKTSegConfig) -> None:
    checked = compare(shapes, config)
    if checked.missing:
        raise CheckpointError(
            f"{path} is incomplete, {_counted(checked.missing)} missing: {_some(checked.missing)}; download it again."
        )
    if checked.misshapen:
        raise CheckpointError(
            f"{path} does not fit RSKT-Seg, {_counted(checked.misshapen)} of the wrong shape: "
            f"{_some(checked.misshapen)}; check the file."
        )
    if checked.unused:
        raise CheckpointError(
            f"{path} does not fit RSKT-Seg, {_counted(checked.unused)} unknown to it: "
            f"{_some(checked.unused)}; check the file."
        )


def _counted(keys: Sequence[str]) -> str:
    return "1 tensor is" if len(keys) == 1 else f"{len(keys)} tensors are"


def _some(keys: Sequence[str]) -> str:
    rest = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + rest


def _start(layer: EfficientLayer) -> None:
    """Give an efficient layer the official start values; everything else keeps torch's own.

    The official truncated normal (limits at 20 deviations) cuts nothing; a
    plain one also avoids its rare outlier at the limit.
    """
    for module in layer.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.zeros_(module.bias)
