"""CLIP's own files."""

from __future__ import annotations

from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.clip.openai_file import (
    GELU_UNTOLD,
    IGNORABLE,
    holds_clip,
    is_made_of,
    name_in_file,
    whose_sizes,
)
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.renaming import Source
from ovrisisbench.adapters.plain_clip.config import BACKBONES, PlainCLIPConfig
from ovrisisbench.adapters.plain_clip.network import PlainCLIP

__all__ = ["file_layout", "report"]


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a file holds; None if it is not CLIP's, or holds more than CLIP.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if not holds_clip(shapes) or not is_made_of(shapes):
        return None
    backbone = whose_sizes(shapes, {name: config.clip for name, config in BACKBONES.items()})
    if backbone is None:
        return None
    found = file_layout(BACKBONES[backbone]).compare(shapes)
    return CheckpointReport(
        model="plain-clip",
        backbone=backbone,
        ambiguous=(GELU_UNTOLD,),
        missing=found.missing,
        unused=found.unused,
        misshapen=found.misshapen,
        ignored=found.ignored,
    )


@cache
def file_layout(config: PlainCLIPConfig) -> FileLayout:
    """Return how the network of ``config`` lies in CLIP's files."""
    return FileLayout(
        build=partial(PlainCLIP, config), names=lambda key: (Source(name_in_file(key)),), ignorable=IGNORABLE
    )
