"""How the texts of ``run --set NAME=VALUE`` become values, and the setting that all networks have.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.errors import AdapterError, did_you_mean

__all__ = ["LINEARS", "Value", "parse_settings", "switch", "typed"]

Value = str | int | bool

_SWITCH = {"on": True, "off": False}

LINEARS = Setting(
    "auto",
    "Kind of linear layers on the CPU, equal up to rounding; auto: packed if measured 1.15 times as fast here.",
    ("auto", "plain", "packed"),
)


def parse_settings(
    title: str, offered: Mapping[str, Setting], given: Mapping[str, str], *, numbers: Mapping[str, int] | None = None
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
        >>> parse_settings("X", {"depth": Setting("2", "..."), "linears": LINEARS}, {"depth": "3", "linears": "auto"},
        ...                numbers={"depth": 1})
        {'depth': 3}
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
            smallest = (numbers or {}).get(name)
            values[name] = _SWITCH.get(text, text) if smallest is None else _number(name, text, smallest)
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
