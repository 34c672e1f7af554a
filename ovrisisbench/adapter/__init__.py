"""The contract between the harness and a model, and the registry that finds models.

This package imports neither numpy nor torch at import time, so listing models is quick.
"""

from ovrisisbench.adapter.interface import (
    Adapter,
    AdapterInfo,
    CheckpointReport,
    CostMapper,
    Crop,
    LoadOptions,
    ParameterCounter,
    ParameterCounts,
    Precision,
    ScoreMap,
    Setting,
    TruthReader,
)
from ovrisisbench.adapter.registry import BrokenAdapter, FoundAdapter, find_adapter, list_adapters

__all__ = [
    "Adapter",
    "AdapterInfo",
    "BrokenAdapter",
    "CheckpointReport",
    "CostMapper",
    "Crop",
    "FoundAdapter",
    "LoadOptions",
    "ParameterCounter",
    "ParameterCounts",
    "Precision",
    "ScoreMap",
    "Setting",
    "TruthReader",
    "find_adapter",
    "list_adapters",
]
