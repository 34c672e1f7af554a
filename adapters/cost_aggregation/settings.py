"""What CAT-Seg, OVRIS and GSNet can be told, and how the family prompts and prepares. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS

__all__ = ["BASELINE_NUMBERS", "BASELINE_SETTINGS", "FAMILY_PREPROCESSING", "FAMILY_PROMPTS"]

BASELINE_SETTINGS: Mapping[str, Setting] = {
    "sliding_window": Setting(
        "on",
        "Four overlapping windows and the whole image, averaged (the official eval.sh); off: the whole image alone.",
        ("on", "off"),
    ),
    "pooling": Setting(
        "1", "Side of the pooling before attention over classes; 1 in the official eval.sh, 2 in training."
    ),
    "linears": LINEARS,
}
"""What CAT-Seg, OVRIS and GSNet can be told."""

BASELINE_NUMBERS = {"pooling": 1}
"""Settings of those that are whole numbers -> their smallest value."""

FAMILY_PROMPTS = (
    "One template, 'A photo of a {} in the scene'; of a name with a comma and a space only what stands before it; the "
    "text encoder is the fine-tuned one of the checkpoint."
)

FAMILY_PREPROCESSING = (
    "Short side to 640 (Pillow, uint8), CLIP's mean and deviation, windows of 384 or the whole image squeezed to the "
    "network's square; sigmoid scores are averaged and stretched over the image."
)
