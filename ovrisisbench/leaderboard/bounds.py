"""Floors and ceilings of a table: measured floors stay, what nobody ran is computed from the labelled pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.catalog import training_set_title
from ovrisisbench.catalog.class_groups import knows_classes
from ovrisisbench.evaluate.bounds import (
    closed_set_confusion,
    most_frequent_confusion,
    oracle_confusion,
    random_confusion,
    truth_of,
)
from ovrisisbench.leaderboard.blocks import with_means
from ovrisisbench.leaderboard.class_views import ClassView, flags_of_group
from ovrisisbench.leaderboard.measured import MeasuredRow
from ovrisisbench.leaderboard.model import METRICS, Cell, CellKey, Row
from ovrisisbench.records import Record

__all__ = ["Tested", "bound_rows", "tested_data"]

_FLOORS: Final[Mapping[str, tuple[str, Callable[[NDArray[np.int64]], NDArray[np.int64]]]]] = {
    "random": ("Random class", random_confusion),
    "most-frequent": ("Most frequent class", most_frequent_confusion),
}
"""Adapter that measures the floor -> (title, counts from the truth)."""

Tested = Mapping[str, Record]
"""Data set -> a record whose labelled pixels are those that were tested."""


def tested_data(rows: Sequence[MeasuredRow], datasets: Sequence[str]) -> dict[str | None, Tested]:
    """Return what was tested, by training set, or under None alone where it was the same for all.

    Held-out protocols leave out other images for every training set, so their floors differ. Of several preparations
    of one data set the newest complete record's counts.
    """
    by_train_set: dict[str | None, dict[str, Record]] = {}
    for row in rows:
        own: dict[str, Record] = by_train_set.setdefault(row.model.train_set, {})
        for key, record in row.records.items():
            if key in datasets and (key not in own or _goes_before(record, own[key])):
                own[key] = record
    merged: dict[str, Record] = {}
    for own in by_train_set.values():
        for key, record in own.items():
            other = merged.get(key)
            if other is not None and record.is_complete and other.is_complete and _truth(record) != _truth(other):
                # Floors that were measured on all images do not say what a model was tested on.
                return {one: found for one, found in by_train_set.items() if one is not None}
            if other is None or _goes_before(record, other):
                merged[key] = record
    return {None: merged}


def bound_rows(
    tested: Mapping[str | None, Tested],
    measured: Sequence[MeasuredRow],
    datasets: Sequence[str],
    view: ClassView,
    train_sets: Sequence[str],
) -> list[Row]:
    """Return computed floors, where no measured row shows them, and ceilings.

    Args:
        tested: from :func:`tested_data`.
        measured: rows of the section.
        datasets: columns.
        view: which classes the means run over.
        train_sets: training sets of its rows; each with known class names gets a ceiling for models that can name
            only classes that it has.
    """
    floors, ceilings = [], []
    for train_set, data in tested.items():
        if not data:
            continue
        tested_for = () if train_set is None else (f"tested after {training_set_title(train_set)}",)
        for model, (title, counts_of) in _FLOORS.items():
            if not _is_measured(model, data, measured, datasets):
                counts = {key: counts_of(truth_of(record.confusion_array)) for key, record in data.items()}
                floors.append(_bound(model, title, "floor", tested_for, _cells(counts, data, view)))
        counts = {key: oracle_confusion(truth_of(record.confusion_array)) for key, record in data.items()}
        ceilings.append(_bound("oracle", "Oracle", "ceiling", tested_for, _cells(counts, data, view)))
        if view.group is None:
            ceilings += [
                _closed_set(one, data, view, tested_for)
                for one in train_sets
                if train_set in (None, one) and knows_classes(one)
            ]
    return [with_means(row, datasets) for row in (*floors, *ceilings)]


def _closed_set(train_set: str, data: Tested, view: ClassView, tested_for: tuple[str, ...]) -> Row:
    """Return the best that a model can do which names only classes of its training set."""
    counts = {}
    for key, record in data.items():
        known = flags_of_group(record, "seen", train_set, view.table)
        best = closed_set_confusion(truth_of(record.confusion_array), known, record.metrics.convention)
        if best is not None:
            counts[key] = best
    row = _bound(
        f"closed-set-{train_set}",
        f"Oracle with the classes of {training_set_title(train_set)}",
        "ceiling",
        tested_for,
        _cells(counts, data, view),
    )
    # Where no class is known every pixel is wrong, and no class is named.
    none: dict[CellKey, Cell] = {
        (key, metric): Cell(value=0.0) for key in data if key not in counts for metric in METRICS
    }
    return replace(row, cells={**row.cells, **none})


def _cells(counts: Mapping[str, NDArray[np.int64]], data: Tested, view: ClassView) -> dict[CellKey, Cell]:
    cells: dict[CellKey, Cell] = {}
    for key, confusion in counts.items():
        found = view.cells(confusion, data[key])
        cells |= {(key, metric): found[metric] for metric in METRICS}
    return cells


def _bound(model: str, title: str, kind: str, tested_for: tuple[str, ...], cells: Mapping[CellKey, Cell]) -> Row:
    return Row(
        model=model,
        title=title,
        qualifiers=("computed", *tested_for),
        backbone="none",
        kind=kind,
        ranked=False,
        computed=True,
        cells=cells,
    )


def _is_measured(model: str, data: Tested, measured: Sequence[MeasuredRow], datasets: Sequence[str]) -> bool:
    """Tell whether a row shows this floor on everything that was tested."""
    return any(
        row.model.kind == "floor"
        and row.model.name == model
        and all(key in row.records and _truth(row.records[key]) == _truth(data[key]) for key in datasets if key in data)
        for row in measured
    )


def _goes_before(record: Record, other: Record) -> bool:
    return _preference(record) > _preference(other)


def _preference(record: Record) -> tuple[bool, int, str, str]:
    return (record.is_complete, record.dataset.images, record.run.date, record.stem)


def _truth(record: Record) -> tuple[int, ...]:
    return tuple(map(sum, record.confusion))
