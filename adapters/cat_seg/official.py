"""Official CAT-Seg checkpoints: a Detectron2 file that holds both towers of CLIP and everything else."""

from __future__ import annotations

from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.cat_seg.config import BACKBONES
from ovrisisbench.adapters.cat_seg.network import CATSeg
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.family import IGNORABLE, family_report, member, sized
from ovrisisbench.adapters.cost_aggregation.official_names import (
    HEAD,
    TOWERS,
    TRAINED,
    aggregator_rules,
    decoder_rules,
    names_by,
)
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes

__all__ = ["file_layout", "read_config", "report"]

_RULES = (
    *TOWERS,
    (r"^conv1\.", f"{HEAD}conv1."),
    *aggregator_rules("aggregator"),
    *decoder_rules("decoder", stage="decoder", clip_projection="decoder_guidance_projection"),
)


def read_config(shapes: Shapes) -> tuple[str, FamilyConfig]:
    """Read backbone and sizes from the tensors of a CAT-Seg checkpoint."""
    return sized(shapes, BACKBONES)


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not CAT-Seg's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if member(shapes) != "cat-seg":
        return None
    backbone, config = read_config(shapes)
    return family_report("cat-seg", backbone, config, shapes, file_layout(config))


@cache
def file_layout(config: FamilyConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(
        build=partial(CATSeg, config), names=lambda key: names_by(key, _RULES), ignorable=IGNORABLE, trained=TRAINED
    )
