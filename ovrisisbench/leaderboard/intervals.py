"""Intervals in the cells of measured rows, and rows that intervals cannot tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.measured import MeasuredRow
from ovrisisbench.leaderboard.model import MEAN, METRICS, Cell, CellKey, Metric, Row
from ovrisisbench.leaderboard.numbers import percent
from ovrisisbench.leaderboard.ranking import Ties
from ovrisisbench.records import CountsTable, Record, read_record_counts
from ovrisisbench.statistics.figures import FIGURES, Figure, Measure
from ovrisisbench.statistics.intervals import LEVEL, MIN_SCENES, Interval, figure_intervals, interval_of, mean_intervals
from ovrisisbench.statistics.resampling import SEED
from ovrisisbench.statistics.scenes import SceneSums, scene_sums
from ovrisisbench.statistics.spread import Resampled, Spread, resampled

__all__ = ["CountsOf", "counts_beside", "interval_ties", "percent_interval", "with_intervals"]

CountsOf = Callable[[Record], CountsTable | None]
"""Returns the per-image counts of a record, None where they are not at hand."""


def counts_beside(files: Mapping[Path, Record]) -> CountsOf:
    """Return a reader of the counts that lie beside records.

    Args:
        files: from :func:`ovrisisbench.records.read_record_files`.

    The reader raises RecordError for counts that are damaged or of another record.
    """
    # Not by the record's stem, which changes with the convention that its figures are computed by.
    folders = {record.counts: path.parent for path, record in files.items() if record.counts is not None}

    def counts_of(record: Record) -> CountsTable | None:
        folder = folders.get(record.counts) if record.counts is not None else None
        if folder is None or record.counts is None or not (folder / record.counts.file).is_file():
            return None
        return read_record_counts(record, folder)

    return counts_of


def percent_interval(interval: Interval | None) -> tuple[float, float] | None:
    """Return the ends of an interval of fractions in percent."""
    return None if interval is None else (percent(interval.low), percent(interval.high))


def with_intervals(one: MeasuredRow, datasets: Sequence[str], view: ClassView, counts_of: CountsOf) -> MeasuredRow:
    """Return a row whose cells carry intervals, as far as counts are at hand.

    Args:
        one: with its means.
        datasets: columns.
        view: which classes the means run over.
        counts_of: reads counts.
    """
    cells = dict(one.row.cells)
    tables: dict[str, CountsTable] = {}
    for key, record in one.records.items():
        counts = counts_of(record)
        if counts is None or key not in datasets:
            continue
        tables[key] = counts
        found = figure_intervals(counts, convention=record.metrics.convention, classes=_indices(view, record))
        _add(cells, key, found)
    if tables and all(key in tables for key in datasets) and len({_convention(one, key) for key in datasets}) == 1:
        found = mean_intervals(
            [tables[key] for key in datasets],
            convention=one.records[datasets[0]].metrics.convention,
            classes=[_indices(view, one.records[key]) for key in datasets],
        )
        _add(cells, MEAN, found)
    return replace(one, row=replace(one.row, cells=cells))


def interval_ties(rows: Sequence[MeasuredRow], datasets: Sequence[str], view: ClassView, counts_of: CountsOf) -> Ties:
    """Return the rule by which rows share a mark: the 95 % interval of their paired difference holds zero.

    Both rows must have counts of the same scenes, at least :data:`MIN_SCENES` of them; otherwise only equal figures
    share a mark. Every pair is looked at for itself, without a correction for their number.
    """
    by_row = {id(one.row): one for one in rows}

    @cache
    def sums_of(row: int, key: str) -> SceneSums | None:
        record = by_row[row].records.get(key)
        counts = None if record is None else counts_of(record)
        return None if counts is None else scene_sums(counts)

    @cache
    def difference(first: int, second: int, key: str, stream: int) -> Resampled | None:
        models = []
        for row in (first, second):
            sums = sums_of(row, key)
            if sums is None:
                return None
            record = by_row[row].records[key]
            models.append((sums, Measure.of(sums.total, record.metrics.convention, _indices(view, record))))
        if models[0][0].names != models[1][0].names or len(models[0][0]) < MIN_SCENES:
            return None
        ours, theirs = resampled(models, stream=stream)
        return ours - theirs

    def tied(first: Row, second: Row, column: CellKey) -> bool:
        dataset, metric = column
        parts = []
        for stream, key in enumerate(datasets if dataset == MEAN else [dataset]):
            part = difference(id(first), id(second), key, stream)
            if part is None:
                return False
            parts.append(part)
        interval = interval_of(Spread.of(parts), FIGURES.index(metric), seed=SEED, level=LEVEL)
        return interval is not None and interval.low <= 0 <= interval.high

    def ties(block: Sequence[Row], column: CellKey) -> Callable[[int, int], bool]:
        return lambda one, other: tied(block[one], block[other], column)

    return ties


def _convention(one: MeasuredRow, key: str) -> str:
    return one.records[key].metrics.convention


def _indices(view: ClassView, record: Record) -> list[int] | None:
    return None if view.group is None else np.flatnonzero(view.flags(record)).tolist()


def _add(cells: dict[CellKey, Cell], key: str, found: Mapping[Figure, Interval | None]) -> None:
    metric: Metric
    for metric in METRICS:
        if (key, metric) in cells:
            cells[key, metric] = replace(cells[key, metric], interval=percent_interval(found[metric]))
