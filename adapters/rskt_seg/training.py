"""Training RSKT-Seg."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import Tensor

from ovrisisbench.adapter.interface import Adapter
from ovrisisbench.adapter.training import StartOptions
from ovrisisbench.adapters.cost_aggregation.adapter import Inference
from ovrisisbench.adapters.cost_aggregation.training import encoder_files, family_training, measured_as
from ovrisisbench.adapters.rskt_seg import INFO
from ovrisisbench.adapters.rskt_seg.adapter import RSKTSegAdapter
from ovrisisbench.adapters.rskt_seg.loading import from_checkpoint, from_state, untrained
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official import file_layout
from ovrisisbench.adapters.rskt_seg.settings import NUMBERS, SETTINGS
from ovrisisbench.adapters.settings import Value, parse_settings
from ovrisisbench.adapters.training.network_training import NetworkTraining
from ovrisisbench.adapters.training.starting import started

__all__ = ["RSKTSegTrainer"]

_POOLING = 2
"""Of CAT-Seg's layers in training (``POOLING_SIZES`` of the yamls); the efficient layers do not have it."""


class RSKTSegTrainer:
    """Starts trainings of RSKT-Seg."""

    @classmethod
    def start(cls, options: StartOptions) -> NetworkTraining:
        """See :meth:`ovrisisbench.adapter.training.Trainer.start`."""
        # What a file tells of itself is not asked for again: the recipe's settings are for networks that start here.
        asked = options.settings if options.checkpoint is None else options.evaluation_settings
        wishes, _ = _parsed(asked, options)
        if wishes.get("efficient") is False:
            wishes.setdefault("pooling", _POOLING)
        if options.checkpoint is not None:
            network = from_checkpoint(options.checkpoint, options.backbone, wishes)
        else:
            files = encoder_files(options, dino="dino", remote_clip="remote_clip")
            network = untrained(options.backbone, wishes, seed=options.seed)
            layout = file_layout(network.config)
            network = cast("RSKTSeg", started(layout, network, files, options, title=INFO.title))

        def evaluate(state: Mapping[str, Tensor]) -> Adapter:
            wishes, inference = _parsed(options.evaluation_settings, options)
            loaded = from_state(state, wishes)
            return RSKTSegAdapter(loaded, inference, trained_values=file_layout(network.config).trained_values)

        return family_training(network, file_layout(network.config), options, evaluate=evaluate)


def _parsed(settings: Mapping[str, str], options: StartOptions) -> tuple[dict[str, Value], Inference]:
    wishes = parse_settings(INFO.title, SETTINGS, settings, numbers=NUMBERS)
    return wishes, measured_as(options, wishes, sliding_window=False)
