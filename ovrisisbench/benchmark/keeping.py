"""What a run keeps beside its records on request: label maps, cost maps. No record depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.adapter.interface import CostMapper
from ovrisisbench.errors import AdapterError

if TYPE_CHECKING:
    from ovrisisbench.benchmark.recording import LoadedModel
    from ovrisisbench.evaluate.kept_labels import KeptLabels
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import CountsTable, Record

__all__ = ["Keeping", "check_cost_maps", "keep_cost_maps", "kept_labels", "move_labels"]

_LABEL_MAPS = "label-maps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What a run shall keep."""

    label_maps: bool = False
    cost_maps: int = 0
    """Images of each data set."""


def check_cost_maps(keeping: Keeping, model: LoadedModel) -> None:
    """Refuse cost maps of a model that has none, before anything is measured.

    Raises:
        AdapterError: it has none.
    """
    if keeping.cost_maps and not isinstance(model.adapter, CostMapper):
        raise AdapterError(
            f"{model.found.info.title} gives no cost maps; leave --keep-cost-maps out, or write a method cost_maps."
        )


def kept_labels(keeping: Keeping, journal: Path, dataset: PreparedDataset) -> KeptLabels | None:
    """Return where an evaluation shall write label maps while it is unfinished; None for nowhere."""
    from ovrisisbench.evaluate.kept_labels import KeptLabels
    from ovrisisbench.prepare.contact_sheet.overlay_colours import overlay_colours

    if not keeping.label_maps:
        return None
    colours = [chosen.colour for chosen in overlay_colours(dataset.manifest)]
    return KeptLabels(journal / _LABEL_MAPS, colours)


def move_labels(kept: KeptLabels | None, record: Record, path: Path) -> None:
    """Put the label maps of a finished evaluation beside its record."""
    from ovrisisbench.records import label_maps_folder

    if kept is not None:
        kept.move(label_maps_folder(record, path.parent))


def keep_cost_maps(
    count: int, model: LoadedModel, dataset: PreparedDataset, *, record: Record, counts: CountsTable, path: Path
) -> None:
    """Write the cost maps of ``count`` images, the worst, the middle and the best, beside their record."""
    from ovrisisbench.adapter.precision import inference
    from ovrisisbench.records import cost_maps_path, image_scores, worst_middle_best, write_cost_maps

    chosen = worst_middle_best(image_scores(counts).miou, count)
    if not chosen or not isinstance(model.adapter, CostMapper):
        return
    places = {sample.id: index for index, sample in enumerate(dataset.samples)}
    with inference(model.options.precision, model.options.device):
        images = {
            counts.ids[index]: model.adapter.cost_maps(dataset.image(places[counts.ids[index]])) for index in chosen
        }
    write_cost_maps(images, record, cost_maps_path(record, path.parent))
