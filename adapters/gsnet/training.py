"""Training GSNet."""

from __future__ import annotations

from ovrisisbench.adapters.cost_aggregation.training import BaselineTrainer
from ovrisisbench.adapters.gsnet.adapter import GSNetAdapter
from ovrisisbench.adapters.gsnet.official import RSIB

__all__ = ["GSNetTrainer"]


class GSNetTrainer(BaselineTrainer):
    """Starts trainings of GSNet."""

    adapter = GSNetAdapter
    dino = RSIB
