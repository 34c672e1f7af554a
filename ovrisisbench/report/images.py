"""The images of one data set that the report shows, with what every model made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ovrisisbench.catalog.cards import IGNORE_INDEX
from ovrisisbench.evaluate.kept_labels import read_label_map
from ovrisisbench.records import (
    CountsTable,
    ImageScores,
    Record,
    cost_maps_path,
    image_scores,
    label_maps_folder,
    read_cost_maps,
    worst_middle_best,
)
from ovrisisbench.report.gathering import Gathered
from ovrisisbench.report.pictures import packed, packed_costs, shown_size, small_labels, small_picture
from ovrisisbench.report.rows import ShownRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import CostMaps

__all__ = ["ImageBrowser", "ShownImage", "image_browser"]

_SAFE_COLOURS: Final = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#332288", "#44aa99"),
    *("#882255", "#ddcc77", "#117733", "#aa4499", "#999933", "#88ccee", "#661100", "#bbbbbb", "#000000"),
)
"""Okabe and Ito's, then Tol's muted ones: told apart by every kind of colour vision as far as so many can be."""
_MOST_WITH_COSTS: Final = 6
"""Images of which cost maps are shown."""
_RUN_AGAIN: Final = "run the model again with 'ovrisis-bench run --keep-label-maps'"
_SCORE_AGAIN: Final = "score the predictions again with 'ovrisis-bench score --keep-label-maps'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImage:
    """One image: what the list says of it, and the files that are read when it is opened."""

    id: str
    scores: list[dict[str, Any] | None]
    """For each row its figures on this image, in percent; None where it was not measured on it."""
    picture: bytes | None = None
    maps: dict[str, Any] | None = None
    """Content of the file of maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBrowser:
    """All images that are shown of one data set."""

    images: list[ShownImage]
    of: int
    """Images that the models were measured on."""
    colours: dict[str, list[str]] | None
    """Of the classes, ``#rrggbb``: ``own`` ones and ``safe`` ones; None without prepared data."""
    judges: list[int]
    """Rows whose mean orders the images: all but floors, or all where there is nothing else."""
    missing: list[str] = field(default_factory=list)
    """One sentence for each thing that could not be shown, and how to get it."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """One row that has per-image counts."""

    number: int
    """Its place among the rows of the page."""
    row: ShownRow
    name: str
    labels: Path
    """Folder of its label maps, which may be missing."""
    counts: CountsTable
    scores: ImageScores
    places: Mapping[str, int]
    costs: CostMaps | None
    remedy: str
    """What to do where its label maps cannot be shown."""


def image_browser(
    rows: Sequence[ShownRow],
    names: Sequence[str],
    key: str,
    gathered: Gathered,
    counts: Mapping[str, CountsTable],
    *,
    images: int,
) -> ImageBrowser | None:
    """Choose images and collect what there is of them.

    Args:
        rows: measured on the data set with the same class names.
        names: of the rows, told apart.
        key: of the data set.
        gathered: where label maps, cost maps and prepared data are found.
        counts: per-image counts by stem of the record.
        images: how many to show at most: the worst, the middle and the best by the models' mean mIoU.

    Returns:
        None where no row has per-image counts.

    Raises:
        RecordError: a damaged file of label or cost maps.
    """
    measured = [
        _measured(number, row, row.records[key], gathered, counts[row.records[key].stem], name=name)
        for number, (row, name) in enumerate(zip(rows, names, strict=True))
        if row.records[key].stem in counts
    ]
    if not measured:
        return None
    ids = sorted({image for one in measured for image in one.counts.ids})
    chosen = _chosen(measured, ids, images)
    data = measured[0].row.records[key].dataset
    dataset = gathered.prepared(key, data.variant, data.digest)
    missing: list[str] = []
    if dataset is None:
        missing.append(
            f"No pictures: {key} is not prepared in {gathered.data.name or '.'}/ as it was measured. Prepare it with "
            f"'ovrisis-bench prepare {key}' and say with --data where it is."
        )
    for remedy in (_RUN_AGAIN, _SCORE_AGAIN):
        without = [one.name for one in measured if not one.labels.is_dir() and one.remedy == remedy]
        if without:
            missing.append(f"No label maps of {', '.join(without)}: {remedy}.")
    shown = []
    for image in chosen:
        scores: list[dict[str, Any] | None] = [None] * len(rows)
        for one in measured:
            scores[one.number] = _scores(one, image)
        shown.append(_with_maps(ShownImage(id=image, scores=scores), measured, dataset, missing))
    return ImageBrowser(
        images=shown,
        of=len(ids),
        colours=_colours(dataset),
        judges=[one.number for one in _judges(measured)],
        missing=missing,
    )


def _measured(
    number: int, row: ShownRow, record: Record, gathered: Gathered, counts: CountsTable, *, name: str
) -> _Measured:
    folder = gathered.folders[record.stem]
    path = cost_maps_path(record, folder)
    costs = read_cost_maps(path) if path.is_file() else None
    if costs is not None and costs.result != record.result_digest():
        costs = None  # of an earlier result, which has been replaced
    return _Measured(
        number,
        row,
        name,
        label_maps_folder(record, folder),
        counts,
        image_scores(counts),
        {image: index for index, image in enumerate(counts.ids)},
        costs,
        _SCORE_AGAIN if record.model.kind == "predictions" else _RUN_AGAIN,
    )


def _judges(measured: Sequence[_Measured]) -> Sequence[_Measured]:
    return [one for one in measured if one.row.row.kind != "floor"] or measured


def _chosen(measured: Sequence[_Measured], ids: Sequence[str], images: int) -> list[str]:
    """Choose by the mean over models, floors left out where there is anything else; then images with cost maps."""
    judges = _judges(measured)
    figures = np.full((len(judges), len(ids)), np.nan)
    for number, one in enumerate(judges):
        miou = one.scores.miou
        figures[number] = [miou[one.places[image]] if image in one.places else np.nan for image in ids]
    there = ~np.isnan(figures)
    sums = np.where(there, figures, 0).sum(axis=0)
    means = np.where(there.any(axis=0), sums / np.maximum(there.sum(axis=0), 1), np.nan)
    chosen = [ids[index] for index in worst_middle_best(means, images)]
    with_costs = list(dict.fromkeys(image for one in measured if one.costs for image in one.costs.ids))
    shown = sum(image in with_costs for image in chosen)
    extra = [image for image in with_costs if image not in chosen][: max(0, min(_MOST_WITH_COSTS, images) - shown)]
    # Some of the chosen ones make room, from the middle, where the least is lost.
    keep = max(0, images - len(extra))
    kept = [chosen[index] for index in worst_middle_best(np.arange(len(chosen), dtype=np.float64), keep)]
    everything = {*kept, *extra}
    return [ids[int(index)] for index in np.argsort(means, kind="stable") if ids[int(index)] in everything]


def _with_maps(
    shown: ShownImage, measured: Sequence[_Measured], dataset: PreparedDataset | None, missing: list[str]
) -> ShownImage:
    """Add the picture and all maps of an image that is prepared here; note in ``missing`` what cannot be shown."""
    samples = () if dataset is None else dataset.samples
    place = next((index for index, sample in enumerate(samples) if sample.id == shown.id), None)
    if dataset is None or place is None:
        return shown
    truth = dataset.label(place)
    predictions: dict[str, str] = {}
    costs: dict[str, Any] = {}
    for one in measured:
        if shown.id not in one.places:
            continue
        labels = read_label_map(one.labels, shown.id)
        if labels is not None and _fits(labels, truth, one, shown.id):
            predictions[str(one.number)] = packed(small_labels(labels))
        elif labels is not None:
            missing.append(
                f"The label map of {one.name} for {shown.id} is not the one that was counted, so it is left out; "
                f"{one.remedy}."
            )
        if one.costs is not None and shown.id in one.costs.ids:
            index = one.costs.ids.index(shown.id)
            costs[str(one.number)] = packed_costs({name: maps[index] for name, maps in one.costs.stages.items()})
    height, width = shown_size(*truth.shape)
    maps = {
        "id": shown.id,
        "height": height,
        "width": width,
        "truth": packed(small_labels(truth)),
        "predictions": predictions,
        "costs": costs,
    }
    return replace(shown, picture=small_picture(dataset.image(place)), maps=maps)


def _fits(labels: NDArray[np.uint8], truth: NDArray[np.uint8], one: _Measured, image: str) -> bool:
    """Say whether a kept label map gives the counts of its record."""
    from ovrisisbench.evaluate.counts import confusion

    if labels.shape != truth.shape:
        return False
    counts, size = one.counts, one.counts.num_classes
    if int(labels[truth != IGNORE_INDEX].max(initial=0)) >= size:
        return False
    cells = counts.image == one.places[image]
    expected = np.zeros((size, size), np.int64)
    expected[counts.truth[cells], counts.prediction[cells]] = counts.pixels[cells].astype(np.int64)
    return np.array_equal(confusion(labels, truth, size, name=image), expected)


def _scores(one: _Measured, image: str) -> dict[str, Any] | None:
    if image not in one.places:
        return None
    place = one.places[image]
    miou, iou = one.scores.miou[place], one.scores.iou[place]
    return {
        "miou": None if np.isnan(miou) else round(100 * float(miou), 1),
        "iou": {str(index): round(100 * float(value), 1) for index, value in enumerate(iou) if not np.isnan(value)},
    }


def _colours(dataset: PreparedDataset | None) -> dict[str, list[str]] | None:
    from ovrisisbench.prepare.contact_sheet.overlay_colours import overlay_colours

    if dataset is None:
        return None
    own = [colour.css for colour in overlay_colours(dataset.manifest)]
    return {"own": own, "safe": [_SAFE_COLOURS[index % len(_SAFE_COLOURS)] for index in range(len(own))]}
