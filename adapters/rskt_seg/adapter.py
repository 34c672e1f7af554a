"""RSKT-Seg behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.cost_aggregation.adapter import CostAggregationAdapter, Inference
from ovrisisbench.adapters.rskt_seg.loading import from_checkpoint, untrained
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official import file_layout
from ovrisisbench.adapters.rskt_seg.settings import NUMBERS, SETTINGS
from ovrisisbench.adapters.settings import parse_settings
from ovrisisbench.errors import AdapterError

__all__ = ["RSKTSegAdapter"]


class RSKTSegAdapter(CostAggregationAdapter):
    """A loaded RSKT-Seg."""

    network: RSKTSeg

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        wishes = parse_settings("RSKT-Seg", SETTINGS, options.settings, numbers=NUMBERS)
        inference = Inference(options, wishes, sliding_window=False)
        if options.checkpoint is not None:
            network = from_checkpoint(options.checkpoint, options.backbone, wishes)
        elif options.untrained:
            network = untrained(options.backbone, wishes, seed=options.seed)
        else:
            raise AdapterError("RSKT-Seg needs weights; give them with --checkpoint, or say --untrained.")
        return cls(network, inference, trained_values=file_layout(network.config).trained_values)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting; None for what has no effect."""
        config = self.network.config
        of_original = {
            name: None if config.efficient else getattr(config, name)
            for name in ("pooling", "window", "heads", "attention")
        }
        return {
            **super().describe(),
            "rotate": config.rotate,
            "dino": config.dino,
            "remote_clip": config.remote_clip,
            "clip_guidance": config.clip_guidance,
            "dino_guidance": config.dino and config.dino_guidance,
            "efficient": config.efficient,
            "fusion": config.fusion if config.dino else None,
            "layers": config.layers,
            **of_original,
        }
