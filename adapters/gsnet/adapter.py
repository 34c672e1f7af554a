"""GSNet behind the harness's contract."""

from __future__ import annotations

from ovrisisbench.adapters.cost_aggregation.baseline import BaselineAdapter, BaselineModel
from ovrisisbench.adapters.gsnet import INFO
from ovrisisbench.adapters.gsnet.config import BACKBONES
from ovrisisbench.adapters.gsnet.official import file_layout, read_beside, read_config, report

__all__ = ["GSNetAdapter"]


class GSNetAdapter(BaselineAdapter):
    """A loaded GSNet."""

    model = BaselineModel(
        info=INFO,
        bases=BACKBONES,
        reader=report,
        read_config=read_config,
        file_layout=file_layout,
        read_beside=read_beside,
    )
