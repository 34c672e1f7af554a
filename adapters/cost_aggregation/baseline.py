"""Loading CAT-Seg, OVRIS and GSNet, which differ in their networks only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

from torch import Tensor

from ovrisisbench.adapter.interface import AdapterInfo, CheckpointReport, LoadOptions
from ovrisisbench.adapters.cost_aggregation.adapter import CostAggregationAdapter, Inference
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.cost_aggregation.settings import BASELINE_NUMBERS, BASELINE_SETTINGS
from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.refusals import check_backbone, read_own, shapes_of
from ovrisisbench.adapters.settings import parse_settings
from ovrisisbench.errors import AdapterError

__all__ = ["BaselineAdapter", "BaselineModel", "configured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineModel:
    """How one model's network follows from a file, or from a published configuration."""

    info: AdapterInfo
    bases: Mapping[str, FamilyConfig]
    """Backbone -> published configuration."""
    reader: Callable[[Shapes], CheckpointReport | None]
    """What a file holds; None if it is another model's."""
    read_config: Callable[[Shapes], tuple[str, Any]]
    """Backbone and configuration of a file of this model."""
    file_layout: Callable[[Any], FileLayout]
    """How the network of a configuration lies in official files."""
    read_beside: Callable[[LoadOptions], Mapping[str, Tensor]] = lambda _options: {}
    """Tensors of the files beside the checkpoint, under the names they would have in it."""


class BaselineAdapter(CostAggregationAdapter):
    """A loaded model; subclasses name it."""

    model: ClassVar[BaselineModel]

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        model, info = cls.model, cls.model.info
        wishes = parse_settings(info.title, BASELINE_SETTINGS, options.settings, numbers=BASELINE_NUMBERS)
        inference = Inference(options, wishes, sliding_window=True)
        if options.checkpoint is not None:
            beside = model.read_beside(options)
            state, _ = read_own(options.checkpoint, info, options.backbone, model.reader, beside=beside)
            layout = model.file_layout(configured(model.read_config(shapes_of(state))[1], wishes))
            network = layout.load(state)
        elif options.untrained:
            check_backbone(info, options.backbone)
            layout = model.file_layout(configured(model.bases[options.backbone], wishes))
            network = seeded(layout.build, options.seed)
        else:
            raise AdapterError(f"{info.title} needs weights; give them with --checkpoint, or say --untrained.")
        return cls(cast("FamilyNetwork", network), inference, trained_values=layout.trained_values)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting."""
        config = self.network.config
        return {**super().describe(), "layers": config.layers, "pooling": config.pooling}


def configured(config: FamilyConfig, wishes: Mapping[str, Any]) -> FamilyConfig:
    """Change a configuration by parsed settings.

    Raises:
        AdapterError: a pooling that does not divide the grid.
    """
    config = replace(config, **wishes)
    if config.grid % config.pooling:
        raise AdapterError(
            f"pooling={config.pooling} does not divide the {config.grid}x{config.grid} grid of the cost volume."
        )
    return config
