"""What SCAN can be told, and how the texts become numbers. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS, parse_settings
from ovrisisbench.errors import AdapterError

__all__ = ["SETTINGS", "Calibration", "read_settings"]

SETTINGS: Mapping[str, Setting] = {
    "mask_threshold": Setting(
        "0.4",
        "Probability above which a pixel belongs to a crop (MASK_THR); the authors choose 0.2 to 0.55 per data set.",
    ),
    "ensemble_weight": Setting(
        "0.7",
        "Exponent of the crops' probabilities, one minus it is that of the queries' (CLIP_ENSEMBLE_WEIGHT); the "
        "authors choose 0.35 to 0.75 per data set.",
    ),
    "replace_ratio": Setting(
        "0.15",
        "Share of a crop's background patches that become CLIP's class token of the whole image (REPLACE_RATIO, "
        "contextual shift); 0 draws nothing at random.",
    ),
    "linears": LINEARS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The numbers of SCAN's test configuration, each from 0 to 1; what is not said is as in the published files."""

    mask_threshold: float = 0.4
    ensemble_weight: float = 0.7
    replace_ratio: float = 0.15


def read_settings(given: Mapping[str, str]) -> tuple[Calibration, str]:
    """Check what was typed; return the numbers and the wish for the kind of linear layers.

    Raises:
        AdapterError: an unknown name or an illegal value.

    Example:
        >>> read_settings({"replace_ratio": "0", "linears": "plain"})
        (Calibration(mask_threshold=0.4, ensemble_weight=0.7, replace_ratio=0.0), 'plain')
    """
    values = parse_settings("SCAN", SETTINGS, given)
    linears = str(values.pop("linears", "auto"))
    return Calibration(**{name: _share(name, str(text)) for name, text in values.items()}), linears


def _share(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise AdapterError(f"{name}={text} is not possible; give a number from 0 to 1.")
    return value
