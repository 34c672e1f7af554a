"""From a model's scores to counts, and from counts to metrics.

Names are imported at their first use, so that importing this package costs
neither torch nor numba.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovrisisbench.evaluate.counts import ConfusionCounter, confusion
    from ovrisisbench.evaluate.device_counts import DeviceCounter
    from ovrisisbench.evaluate.labels import label_map
    from ovrisisbench.evaluate.metrics import CONVENTIONS, Metrics, compute_metrics

__all__ = ["CONVENTIONS", "ConfusionCounter", "DeviceCounter", "Metrics", "compute_metrics", "confusion", "label_map"]

_HOMES = {
    "CONVENTIONS": "metrics",
    "ConfusionCounter": "counts",
    "DeviceCounter": "device_counts",
    "Metrics": "metrics",
    "compute_metrics": "metrics",
    "confusion": "counts",
    "label_map": "labels",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
