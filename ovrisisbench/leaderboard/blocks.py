"""Rows -> blocks: means added, best and second best marked, rows in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ovrisisbench.catalog import dataset_keys, load_card, training_set_title
from ovrisisbench.leaderboard.families import backbone_family, family_order
from ovrisisbench.leaderboard.model import BOUND_KINDS, MEAN, METRICS, Block, Cell, CellKey, Metric, Row
from ovrisisbench.leaderboard.numbers import mean_of
from ovrisisbench.leaderboard.ranking import Ties, ranks

__all__ = ["blocks_of", "dataset_title", "sorted_rows", "with_means"]


def with_means(row: Row, datasets: Sequence[str]) -> Row:
    """Add the means over all data sets, where none of them is missing or undefined."""
    cells = dict(row.cells)
    for metric in METRICS:
        mean = _mean(row, datasets, metric)
        if mean is not None:
            cells[MEAN, metric] = mean
    return replace(row, cells=cells)


def sorted_rows(rows: Iterable[Row]) -> list[Row]:
    """Sort by mean mIoU, best first; rows that are not ranked and rows without a mean follow by name."""

    def order(row: Row) -> tuple[bool, float, str, str]:
        mean = row.value((MEAN, "miou"))
        competes = row.ranked and mean is not None and not row.cells[MEAN, "miou"].incomplete
        return (not competes, -(mean or 0.0) if competes else 0.0, row.label, row.backbone)

    return sorted(rows, key=order)


def blocks_of(
    rows: Iterable[tuple[str | None, Row]],
    columns: Sequence[CellKey],
    unranked: Collection[str],
    ties: Ties | None = None,
) -> tuple[Block, ...]:
    """Split rows by training set and backbone family, and mark best and second best in each block.

    Args:
        rows: pairs of training set and row, in the order they shall keep.
        columns: all columns of figures.
        unranked: data sets, or the mean, whose columns hold figures that do not compare.
        ties: tells which rows share a mark with a better one; None where only equal figures do.
    """
    grouped: dict[tuple[str, str | None, str], list[Row]] = defaultdict(list)
    for train_set, row in rows:
        if row.kind in BOUND_KINDS:
            grouped["floors", None, ""].append(row)
        else:
            grouped["models", train_set, backbone_family(row.backbone)].append(row)
    return tuple(
        Block(
            title=_title(what, train_set),
            train_set=train_set,
            family=family,
            rows=tuple(_ranked(grouped[what, train_set, family], columns, unranked, ties)),
        )
        for what, train_set, family in sorted(grouped, key=_block_order)
    )


def dataset_title(key: str) -> str:
    """Return the short title of a data set for the head of a column: ``Potsdam`` for ``ISPRS Potsdam``."""
    return load_card(key).title.split()[-1] if key in dataset_keys() else key


def _mean(row: Row, datasets: Sequence[str], metric: Metric) -> Cell | None:
    found = [row.cells[key, metric] for key in datasets if (key, metric) in row.cells]
    values = [cell.value for cell in found if cell.value is not None]
    if len(values) < len(datasets):
        return None
    return Cell(value=mean_of(values), incomplete=any(cell.incomplete for cell in found))


def _ranked(rows: Sequence[Row], columns: Sequence[CellKey], unranked: Collection[str], ties: Ties | None) -> list[Row]:
    cells = [dict(row.cells) for row in rows]
    for key in columns:
        if key[0] in unranked:
            continue
        competing = [
            row.value(key) if row.ranked and key in row.cells and not row.cells[key].incomplete else None
            for row in rows
        ]
        tied = None if ties is None else ties(rows, key)
        for own, rank in zip(cells, ranks(competing, tied), strict=True):
            if rank:
                own[key] = replace(own[key], rank=rank)
    return [replace(row, cells=own) for row, own in zip(rows, cells, strict=True)]


def _block_order(group: tuple[str, str | None, str]) -> tuple[bool, bool, str, tuple[int, str]]:
    what, train_set, family = group
    return (what == "floors", train_set is None, train_set or "", family_order(family))


def _title(what: str, train_set: str | None) -> str:
    if what == "floors":
        return "Floors and ceilings"
    return "Without a training set" if train_set is None else f"Trained on {training_set_title(train_set)}"
