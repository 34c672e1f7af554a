"""OVRIS behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapters.cost_aggregation.baseline import BaselineAdapter, BaselineModel
from ovrisisbench.adapters.ovris import INFO
from ovrisisbench.adapters.ovris.config import BACKBONES
from ovrisisbench.adapters.ovris.network import OVRIS
from ovrisisbench.adapters.ovris.official import file_layout, read_config, report

__all__ = ["OVRISAdapter"]


class OVRISAdapter(BaselineAdapter):
    """A loaded OVRIS."""

    network: OVRIS
    model = BaselineModel(info=INFO, bases=BACKBONES, reader=report, read_config=read_config, file_layout=file_layout)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting."""
        config = self.network.config
        return {**super().describe(), "rotate": config.rotate, "guidance_attention": config.guidance_attention}
