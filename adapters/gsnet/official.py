"""Official GSNet checkpoints, and RSIB's own file for checkpoints that were saved without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

from torch import Tensor

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.interface import CheckpointReport, LoadOptions
from ovrisisbench.adapters.cost_aggregation.family import IGNORABLE, family_report, has, member, sized
from ovrisisbench.adapters.cost_aggregation.official_names import (
    HEAD,
    TOWERS,
    TRAINED,
    aggregator_rules,
    decoder_rules,
    names_by,
)
from ovrisisbench.adapters.gsnet.config import BACKBONES, GSNetConfig
from ovrisisbench.adapters.gsnet.network import GSNet
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes

__all__ = ["RSIB", "file_layout", "read_beside", "read_config", "report"]

RSIB = "rsib"
"""What one types after ``--weights`` for RSIB's own file."""

_PREFIX = "dino_model."

_RULES = (
    *TOWERS,
    (r"^dino_down_sample\.", "dino_down_sample."),
    (r"^query_guided_fusion\.", HEAD),
    *aggregator_rules("aggregator"),
    *decoder_rules("decoder", stage="Fusiondecoder", clip_projection="CLIP_decoder_guidance_projection"),
)


def read_config(shapes: Shapes) -> tuple[str, GSNetConfig]:
    """Read backbone and sizes from the tensors of a GSNet checkpoint."""
    return sized(shapes, BACKBONES)


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not GSNet's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if member(shapes) != "gsnet":
        return None
    backbone, config = read_config(shapes)
    found = family_report("gsnet", backbone, config, shapes, file_layout(config))
    if has(shapes, _PREFIX):
        return found
    needed = f"RSIB is not in this file; give its own file, RSIB.pth, with --weights {RSIB}=FILE"
    others = tuple(key for key in found.missing if not key.startswith(_PREFIX))
    return replace(found, missing=others, outside=(needed,))


@cache
def file_layout(config: GSNetConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(
        build=partial(GSNet, config), names=lambda key: names_by(key, _RULES), ignorable=IGNORABLE, trained=TRAINED
    )


def read_beside(options: LoadOptions) -> Mapping[str, Tensor]:
    """Read RSIB's file, ``RSIB.pth`` with the teacher of a DINO training, under the names it has in a checkpoint.

    Raises:
        CheckpointError: the file cannot be read.
    """
    path = options.beside.get(RSIB)
    if path is None:
        return {}
    state = {}
    for key, tensor in read_state_dict(path).items():
        name = key.removeprefix("module.").removeprefix("backbone.")
        if not name.startswith("head."):
            state[f"{_PREFIX}{name}"] = tensor
    return state
