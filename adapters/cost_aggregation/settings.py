"""Switches that models of the family share, and how their texts become values. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.errors import AdapterError, did_you_mean

__all__ = [
    "BASELINE_NUMBERS",
    "BASELINE_SETTINGS",
    "FAMILY_PREPROCESSING",
    "FAMILY_PROMPTS",
    "LINEARS",
    "Value",
    "parse_settings",
    "switch",
    "typed",
]

Value = str | int | bool

_SWITCH = {"on": True, "off": False}

LINEARS = Setting(
    "auto",
    "Kind of linear layers on the CPU, equal up to rounding; auto: packed if measured 1.15 times as fast here.",
    ("auto", "plain", "packed"),
)

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


def parse_settings(
    title: str, offered: Mapping[str, Setting], given: Mapping[str, str], *, numbers: Mapping[str, int]
) -> dict[str, Value]:
    """Check names and values; return what was asked for, ``auto`` left out.

    Args:
        title: the model, for error texts.
        offered: its settings.
        given: what was typed.
        numbers: settings that are whole numbers -> their smallest value.

    Raises:
        AdapterError: an unknown name or an illegal value.

    Example:
        >>> parse_settings("X", BASELINE_SETTINGS, {"pooling": "2", "linears": "auto"}, numbers=BASELINE_NUMBERS)
        {'pooling': 2}
    """
    values: dict[str, Value] = {}
    for name, text in given.items():
        if name not in offered:
            raise AdapterError(
                f"{title} has no setting {name!r}; there are {', '.join(offered)}.{did_you_mean(name, offered)}"
            )
        choices: Collection[str] = offered[name].choices
        if choices and text not in choices:
            raise AdapterError(f"{name}={text} is not possible; choose one of {', '.join(choices)}.")
        if text != "auto":
            values[name] = _number(name, text, numbers[name]) if name in numbers else _SWITCH.get(text, text)
    return values


def typed(value: object) -> str:
    """Return a value as a user would type it."""
    return switch(value) if isinstance(value, bool) else str(value)


def switch(state: bool) -> str:
    """Return ``on`` or ``off``."""
    return "on" if state else "off"


def _number(name: str, text: str, smallest: int) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < smallest:
        raise AdapterError(f"{name}={text} is not possible; give a whole number from {smallest} on.")
    return int(text)
