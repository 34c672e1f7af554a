"""CAT-Seg behind the harness's contract."""

from __future__ import annotations

from ovrisisbench.adapters.cat_seg import INFO
from ovrisisbench.adapters.cat_seg.config import BACKBONES
from ovrisisbench.adapters.cat_seg.official import file_layout, read_config, report
from ovrisisbench.adapters.cost_aggregation.baseline import BaselineAdapter, BaselineModel

__all__ = ["CATSegAdapter"]


class CATSegAdapter(BaselineAdapter):
    """A loaded CAT-Seg."""

    model = BaselineModel(info=INFO, bases=BACKBONES, reader=report, read_config=read_config, file_layout=file_layout)
