"""Building an RSKT-Seg network: from an official checkpoint, or untrained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.layout import Shapes
from ovrisisbench.adapters.official_files.refusals import check_backbone, read_own, shapes_of
from ovrisisbench.adapters.rskt_seg import INFO
from ovrisisbench.adapters.rskt_seg.config import BACKBONES, RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.fusion import EfficientLayer
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official import (
    Reading,
    compare,
    file_layout,
    is_gsnets_network,
    read_settings,
    report,
)
from ovrisisbench.adapters.settings import Value, typed
from ovrisisbench.errors import AdapterError, CheckpointError

__all__ = ["from_checkpoint", "from_state", "untrained"]

Wishes = Mapping[str, Value]
"""Settings of the network that were asked for, by their name in ``RSKTSegConfig``."""

_OF_ORIGINAL_LAYERS = ("pooling", "window", "heads", "attention")

_AS_GSNET = {"rotate": False, "remote_clip": False, "efficient": False}
"""What makes RSKT-Seg GSNet's network."""


def untrained(backbone: str, wishes: Wishes, *, seed: int) -> RSKTSeg:
    """Build a network with the official start values, the same for the same seed.

    The encoders start at random too: nothing is downloaded.

    Raises:
        AdapterError: an unknown backbone, or settings that exclude each other.
    """
    check_backbone(INFO, backbone)
    config = _configured(BACKBONES[backbone], wishes)
    return seeded(lambda: _started(RSKTSeg(config)), seed)


def from_checkpoint(path: Path, backbone: str, wishes: Wishes) -> RSKTSeg:
    """Build the network that an official checkpoint is for, and load it.

    Raises:
        CheckpointError: the file is another model's, of another backbone,
            incomplete, or contradicts what was asked for.
        AdapterError: an unknown backbone, or settings that exclude each other.
    """

    def reader(shapes: Shapes) -> Any:  # noqa: ANN401 - a report or None
        if is_gsnets_network(shapes) and wishes.items() >= _AS_GSNET.items():
            return compare(shapes, read_settings(shapes).config)
        return report(shapes)

    hint = "; if it is RSKT-Seg trained as GSNet's network, say so with rotate=off, remote_clip=off, efficient=off"
    state, _ = read_own(path, INFO, backbone, reader, hint=hint)
    reading = read_settings(shapes_of(state))
    _check_wishes(path, reading, wishes)
    return cast("RSKTSeg", file_layout(_configured(reading.config, wishes)).load(state))


def from_state(state: Mapping[str, Tensor], wishes: Wishes) -> RSKTSeg:
    """Build the network that official tensors are for, on copies of them; ``wishes`` say what they do not tell."""
    config = _configured(read_settings(shapes_of(state)).config, wishes)
    return cast("RSKTSeg", file_layout(config).load(state))


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


def _started(network: RSKTSeg) -> RSKTSeg:
    """Give the efficient layers the official start values; everything else keeps torch's own.

    The official truncated normal (limits at 20 deviations) cuts nothing; a
    plain one also avoids its rare outlier at the limit.
    """
    for layer in network.fusion.layers:
        for module in layer.modules() if isinstance(layer, EfficientLayer) else ():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.Conv2d):
                fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.zeros_(module.bias)
    return network
