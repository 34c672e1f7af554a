"""Intervals of the figures in the report, by the bootstrap over scenes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ovrisisbench.leaderboard.model import MEAN, METRICS
from ovrisisbench.leaderboard.numbers import percent
from ovrisisbench.records import CountsTable
from ovrisisbench.report.rows import ShownRow, ShownSection
from ovrisisbench.statistics import Figure, figure_intervals, mean_intervals
from ovrisisbench.statistics import Interval as Bootstrapped

__all__ = ["Interval", "IntervalKey", "shown_intervals"]

IntervalKey = tuple[str, str, str]
"""(id of the row, data set or mean, metric)."""
Interval = tuple[float, float]
"""Lower and upper end, percent."""


def shown_intervals(sections: Iterable[ShownSection], counts: Mapping[str, CountsTable]) -> dict[IntervalKey, Interval]:
    """Compute the interval of every measured figure that has one.

    Args:
        sections: the rows of the report.
        counts: per-image counts by stem of the record; figures without them get no interval.
    """
    found: dict[IntervalKey, Interval] = {}
    for section in sections:
        for row in section.rows:
            for key, record in row.records.items():
                if record.stem in counts:
                    convention = record.metrics.convention
                    _add(found, row, key, figure_intervals(counts[record.stem], convention=convention))
            _add(found, row, MEAN, _of_mean(row, list(section.section.datasets), counts))
    return found


def _of_mean(row: ShownRow, keys: list[str], counts: Mapping[str, CountsTable]) -> Mapping[Figure, Bootstrapped | None]:
    records = [row.records[key] for key in keys if key in row.records]
    conventions = {record.metrics.convention for record in records}
    if len(records) < len(keys) or len(conventions) != 1 or any(record.stem not in counts for record in records):
        return {}
    return mean_intervals([counts[record.stem] for record in records], convention=conventions.pop())


def _add(
    found: dict[IntervalKey, Interval], row: ShownRow, key: str, intervals: Mapping[Figure, Bootstrapped | None]
) -> None:
    for metric in METRICS:
        interval = intervals.get(metric)
        if interval is not None and (key, metric) in row.row.cells:
            found[row.id, key, metric] = (percent(interval.low), percent(interval.high))
