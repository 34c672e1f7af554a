"""SED's switches. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS, Value, parse_settings

__all__ = ["SETTINGS", "parsed"]

SETTINGS: Mapping[str, Setting] = {
    "pooling": Setting(
        "1",
        "Side of the pooling before attention over classes; 1 in the official eval.sh, 2 in training and in the yaml.",
    ),
    "early_rejection": Setting(
        "off",
        (
            "Category early rejection: a number k keeps only classes among the k best somewhere, which changes the "
            "scores; the paper's fast rows have 8."
        ),
    ),
    "linears": LINEARS,
}

_NUMBERS = {"pooling": 1, "early_rejection": 1}


def parsed(given: Mapping[str, str]) -> dict[str, Value]:
    """Check names and values; return what was asked for, ``off`` and ``auto`` left out.

    Raises:
        AdapterError: an unknown name or an illegal value.

    Example:
        >>> parsed({"early_rejection": "8", "linears": "auto"}), parsed({"early_rejection": "off"})
        ({'early_rejection': 8}, {})
    """
    asked = {name: text for name, text in given.items() if (name, text) != ("early_rejection", "off")}
    return parse_settings("SED", SETTINGS, asked, numbers=_NUMBERS)
