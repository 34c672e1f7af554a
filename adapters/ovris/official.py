"""OVRIS checkpoints: CAT-Seg's layout with a wider cost embedding and the weights of the guidance attention.

The repository as it stands runs plain CAT-Seg; the method is in its
``*_ours.py`` files. A file without both additions is therefore CAT-Seg's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.cost_aggregation.family import (
    IGNORABLE,
    cost_channels,
    family_report,
    has,
    member,
    sized,
)
from ovrisisbench.adapters.cost_aggregation.official_names import (
    HEAD,
    TOWERS,
    TRAINED,
    aggregator_rules,
    decoder_rules,
    names_by,
)
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.ovris.config import BACKBONES, OVRISConfig
from ovrisisbench.adapters.ovris.network import OVRIS
from ovrisisbench.adapters.settings import switch

__all__ = ["file_layout", "read_config", "report"]

_RULES = (
    *TOWERS,
    (r"^conv1\.", f"{HEAD}conv1."),
    *aggregator_rules("aggregator"),
    *decoder_rules("decoder", stage="decoder", clip_projection="decoder_guidance_projection"),
)


def read_config(shapes: Shapes) -> tuple[str, OVRISConfig]:
    """Read backbone, sizes and additions from the tensors of an OVRIS checkpoint."""
    backbone, config = sized(shapes, BACKBONES)
    return backbone, replace(
        config, rotate=cost_channels(shapes) != 1, guidance_attention=has(shapes, f"{HEAD}decoder1.cconv.")
    )


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not OVRIS's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if member(shapes) != "ovris":
        return None
    backbone, config = read_config(shapes)
    told = {"rotate": switch(config.rotate), "guidance_attention": switch(config.guidance_attention)}
    return family_report("ovris", backbone, config, shapes, file_layout(config), settings=told)


@cache
def file_layout(config: OVRISConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(
        build=partial(OVRIS, config), names=lambda key: names_by(key, _RULES), ignorable=IGNORABLE, trained=TRAINED
    )
