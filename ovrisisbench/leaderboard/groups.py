"""Seen, near and unseen classes of every trained row, and how many test images its training has seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ovrisisbench.catalog.class_groups import CLASS_GROUPS, class_groups, knows_classes
from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.evaluate.class_means import harmonic_mean
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.measured import MeasuredRow
from ovrisisbench.leaderboard.model import MEAN, Cell, Contamination, GroupColumn
from ovrisisbench.leaderboard.numbers import mean_of

__all__ = ["contamination", "unjudged", "with_groups"]


def with_groups(one: MeasuredRow, datasets: Sequence[str], table: OverlapTable | None = None) -> MeasuredRow:
    """Add mIoU by group of classes to a row whose training set has known class names; return others as they are.

    The mean of a group runs over the data sets on which any of its classes has truth, and is there only if no data set
    is missing. The harmonic mean of a data set is that of its seen and unseen classes; the harmonic mean of the means
    is not the mean of harmonic means.
    """
    train_set = one.model.train_set
    if train_set is None or not knows_classes(train_set):
        return one
    cells: dict[tuple[str, GroupColumn], Cell] = {}
    for group in CLASS_GROUPS:
        view = ClassView(group, train_set, table)
        for key, record in one.records.items():
            cell = view.cells(record.confusion_array, record)["miou"]
            if cell.value is not None:
                cells[key, group] = cell
        column = [cells[key, group] for key in datasets if (key, group) in cells]
        if column and all(key in one.records for key in datasets):
            cells[MEAN, group] = _mean(column)
    for key in (*datasets, MEAN):
        seen, unseen = cells.get((key, "seen")), cells.get((key, "unseen"))
        if seen is not None and unseen is not None:
            cells[key, "harmonic"] = Cell(
                value=harmonic_mean(seen.value, unseen.value), incomplete=seen.incomplete or unseen.incomplete
            )
    return replace(one, row=replace(one.row, groups=cells))


def unjudged(
    rows: Iterable[MeasuredRow], datasets: Sequence[str], table: OverlapTable | None = None
) -> tuple[tuple[str, str], ...]:
    """Return pairs of training set and data set that the table of judgements does not list."""
    pairs = {
        (train_set, key)
        for one in rows
        if (train_set := one.model.train_set) is not None and knows_classes(train_set)
        for key, record in one.records.items()
        if not class_groups(
            train_set, record.vocabulary.class_names, dataset=key, variant=record.dataset.variant, table=table
        ).is_judged
    }
    return tuple(sorted(pairs, key=lambda pair: (pair[0], datasets.index(pair[1]))))


def contamination(rows: Iterable[MeasuredRow], datasets: Sequence[str]) -> tuple[Contamination, ...]:
    """Return what is known of images seen in training, once for each training set and data set that were compared."""
    found: dict[Contamination, None] = {}
    for one in rows:
        for key, record in one.records.items():
            seen = record.dataset.seen_in_training
            if seen is not None and key in datasets:
                entry = Contamination(
                    train_set=seen.train_set,
                    dataset=key,
                    of=seen.of,
                    by_split=seen.by_split,
                    exact=seen.exact,
                    near=seen.near,
                    left_out=seen.left_out,
                    at_least=seen.train_partial,
                )
                found[entry] = None
    return tuple(sorted(found, key=lambda entry: (entry.train_set, datasets.index(entry.dataset), entry.images)))


def _mean(column: Sequence[Cell]) -> Cell:
    values = [cell.value for cell in column if cell.value is not None]
    return Cell(value=mean_of(values), incomplete=any(cell.incomplete for cell in column))
