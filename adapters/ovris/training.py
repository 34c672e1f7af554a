"""Training OVRIS."""

from __future__ import annotations

from ovrisisbench.adapters.cost_aggregation.training import BaselineTrainer
from ovrisisbench.adapters.ovris.adapter import OVRISAdapter

__all__ = ["OVRISTrainer"]


class OVRISTrainer(BaselineTrainer):
    """Starts trainings of OVRIS."""

    adapter = OVRISAdapter
