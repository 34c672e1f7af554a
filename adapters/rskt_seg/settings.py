"""What ``run --set NAME=VALUE`` can turn, and how it meets what a checkpoint says. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.errors import AdapterError, did_you_mean

__all__ = ["SETTINGS", "Value", "parse_settings", "typed"]

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
    "linears": Setting(
        "auto",
        "Kind of linear layers on the CPU, equal up to rounding; auto: packed if measured 1.15 times as fast here.",
        ("auto", "plain", "packed"),
    ),
}

_NUMBERS = ("layers", "pooling", "window", "heads")

Value = str | int | bool


def parse_settings(settings: Mapping[str, str]) -> dict[str, Value]:
    """Check names and values; return what was asked for, ``auto`` left out.

    Raises:
        AdapterError: an unknown name or an illegal value.

    Example:
        >>> parse_settings({"rotate": "off", "layers": "3", "dino": "auto"})
        {'rotate': False, 'layers': 3}
    """
    values: dict[str, Value] = {}
    for name, text in settings.items():
        if name not in SETTINGS:
            raise AdapterError(
                f"RSKT-Seg has no setting {name!r}; there are {', '.join(SETTINGS)}.{did_you_mean(name, SETTINGS)}"
            )
        choices = SETTINGS[name].choices
        if choices and text not in choices:
            raise AdapterError(f"{name}={text} is not possible; choose one of {', '.join(choices)}.")
        if text != "auto":
            values[name] = _number(name, text) if name in _NUMBERS else {"on": True, "off": False}.get(text, text)
    return values


def typed(value: object) -> str:
    """Return a value as a user would type it."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _number(name: str, text: str) -> int:
    smallest = 0 if name == "layers" else 1
    if not text.isascii() or not text.isdecimal() or int(text) < smallest:
        raise AdapterError(f"{name}={text} is not possible; give a whole number from {smallest} on.")
    return int(text)
