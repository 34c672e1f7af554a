"""What ``run --set NAME=VALUE`` can turn. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS

__all__ = ["NUMBERS", "SETTINGS"]

_SWITCH = ("auto", "on", "off")

SETTINGS: Mapping[str, Setting] = {
    "sliding_window": Setting(
        "off", "Four overlapping windows and the whole image, averaged, instead of the whole image.", ("off", "on")
    ),
    "rotate": Setting(
        "auto", "CLIP sees the image in four orientations (R-I of table 2); auto: as in the checkpoint.", _SWITCH
    ),
    "dino": Setting(
        "auto", "Remote-sensing DINO in cost volume and decoder (tables 2 and 3); auto: as in the checkpoint.", _SWITCH
    ),
    "remote_clip": Setting(
        "auto", "RemoteCLIP guides the decoder (RST of table 2); auto: as in the checkpoint.", _SWITCH
    ),
    "efficient": Setting(
        "auto", "RS-Fusion's layers; off: CAT-Seg's (RSF of table 2); auto: as in the checkpoint.", _SWITCH
    ),
    "fusion": Setting(
        "auto",
        "How CLIP and DINO costs become one volume (table 4); auto: as in the checkpoint.",
        ("auto", "separate", "concatenation", "mean"),
    ),
    "layers": Setting("auto", "Number of aggregator layers N (table 5); auto: as in the checkpoint."),
    "pooling": Setting("1", "Side of the pooling before class attention, only without efficient layers; published: 1."),
    "window": Setting(
        "auto", "Side of the attention windows, only without efficient layers; auto: as in the checkpoint, or 12."
    ),
    "heads": Setting("4", "Attention heads, only without efficient layers; published: 4."),
    "attention": Setting(
        "linear", "Attention over classes, only without efficient layers; published: linear.", ("linear", "full")
    ),
    "linears": LINEARS,
}

NUMBERS = {"layers": 0, "pooling": 1, "window": 1, "heads": 1}
"""Settings that are whole numbers -> their smallest value."""
