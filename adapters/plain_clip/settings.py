"""What ``run --set NAME=VALUE`` can turn. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapter.interface import Setting
from ovrisisbench.adapters.settings import LINEARS

__all__ = ["SETTINGS"]

SETTINGS: Mapping[str, Setting] = {
    "dense": Setting(
        "value",
        "How the last block treats a patch; value: by its own value alone, without attention (MaskCLIP); ordinary: as "
        "CLIP was trained.",
        ("value", "ordinary"),
    ),
    "linears": LINEARS,
}
