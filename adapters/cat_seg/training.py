"""Training CAT-Seg."""

from __future__ import annotations

from ovrisisbench.adapters.cat_seg.adapter import CATSegAdapter
from ovrisisbench.adapters.cost_aggregation.training import BaselineTrainer

__all__ = ["CATSegTrainer"]


class CATSegTrainer(BaselineTrainer):
    """Starts trainings of CAT-Seg."""

    adapter = CATSegAdapter
