"""What SAN can be told, and how it prompts and prepares. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS

__all__ = ["PREPROCESSING", "PROMPTS", "SETTINGS"]

SETTINGS: Mapping[str, Setting] = {"linears": LINEARS}

PROMPTS = (
    "The 14 templates of ViLD, each vector normalised before the mean; a name is taken as it is written, commas and "
    "all; a learned background is an extra class that takes its share of the softmax and is dropped."
)

PREPROCESSING = (
    "Short side to 640 (Pillow, uint8), CLIP's mean and deviation, zeros up to multiples of 32; CLIP sees half of that "
    "size (ViT-B/16) or 0.7 of it (ViT-L/14@336px); mask logits go back to the image's own size before the sigmoid."
)
