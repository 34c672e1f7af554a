"""What ``run --set NAME=VALUE`` can turn. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS, parse_settings
from ovrisisbench.errors import AdapterError

__all__ = ["SETTINGS", "Settings"]

_NO_CLASS = "none"

SETTINGS: Mapping[str, Setting] = {
    "probability_threshold": Setting(
        "0",
        "Pixels whose best class has less probability than this (0 to 1) become the background class (prob_thd); the "
        "official configurations have another for each data set, 0.1 to 0.4, made for their own class texts; 0: off.",
    ),
    "background": Setting(
        _NO_CLASS, "The class that such pixels become (bg_idx): its name or its number in the vocabulary, from 0."
    ),
    "linears": LINEARS,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Parsed settings."""

    linears: str
    threshold: float
    """Least probability of a pixel's best class; 0 for no threshold."""
    background: str | None
    """Name or number of the class that takes what is below it; None without a threshold."""

    @classmethod
    def parse(cls, title: str, given: Mapping[str, str]) -> Self:
        """Check names and values of settings.

        Args:
            title: the model, for error texts.
            given: what was typed.

        Raises:
            AdapterError: an unknown name, an illegal value, or a threshold without a background.
        """
        values = parse_settings(title, SETTINGS, given)
        background = str(values.get("background", _NO_CLASS))
        threshold = _share("probability_threshold", str(values.get("probability_threshold", "0")))
        if threshold and background == _NO_CLASS:
            raise AdapterError(
                "probability_threshold needs to know which class takes the pixels below it; "
                "say background=NAME, or the number of the class."
            )
        return cls(str(values.get("linears", "auto")), threshold, background if threshold else None)

    def background_index(self, class_names: Sequence[str]) -> int | None:
        """Return where the background stands in a vocabulary; None without a threshold.

        Raises:
            AdapterError: it does not stand there.
        """
        if self.background is None:
            return None
        if self.background in class_names:
            return class_names.index(self.background)
        if self.background.isascii() and self.background.isdecimal() and int(self.background) < len(class_names):
            return int(self.background)
        raise AdapterError(
            f"background={self.background} is no class of this vocabulary; "
            f"give one of {', '.join(class_names)}, or a number from 0 to {len(class_names) - 1}."
        )


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:  # NaN too
        raise AdapterError(f"{name}={text} is not possible; give a number from 0 to 1.")
    return share
