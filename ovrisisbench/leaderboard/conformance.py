"""Measured rows beside their published counterparts: do they agree, as far as the scenes can tell?

A counterpart has the same adapter, training set and backbone, in a table that
claims the rules of the record's protocol. The interval is that of the measured
figure over scenes of the same kind; it says nothing about another training run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.blocks import dataset_title, with_means
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.intervals import CountsOf, with_intervals
from ovrisisbench.leaderboard.measured import MeasuredRow, measured_rows
from ovrisisbench.leaderboard.model import MEAN, METRICS, Cell, Metric
from ovrisisbench.leaderboard.printed import printed_row
from ovrisisbench.records import PublishedRow, PublishedTable, Record

__all__ = ["Comparison", "Verdict", "conformance"]

Verdict = Literal["within", "above", "below", "no interval", "incomplete"]
"""Whether the interval of the measured figure holds the published one, or lies above or below it; or why none tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure, measured and published."""

    protocol: str
    protocol_id: str
    convention: str
    """Of the measured figure."""
    model: str
    label: str
    """Title and qualifiers of the measured row."""
    backbone: str
    train_set: str | None
    table: str
    """Name of the published table."""
    source: str
    """Its title."""
    dataset: str
    """Key, or :data:`MEAN` for the mean over all columns of the table."""
    metric: Metric
    published: float
    """Percent, as printed; a mean is computed from the printed columns."""
    measured: float
    """Percent, unrounded."""
    interval: tuple[float, float] | None
    """Ends of the 95 % interval of the measured figure, in percent."""
    verdict: Verdict
    outside_by: float | None
    """Points from the published figure to the nearer end of the interval; 0 within it, None without one."""

    @property
    def difference(self) -> float:
        """Measured minus published, in points."""
        return self.measured - self.published

    @property
    def dataset_title(self) -> str:
        """As the heads of columns show it."""
        return "Mean" if self.dataset == MEAN else dataset_title(self.dataset)

    @property
    def trained(self) -> str:
        """Title of the training set, or nothing."""
        return "" if self.train_set is None else training_set_title(self.train_set)


def conformance(
    records: Iterable[Record], published: Iterable[PublishedTable], *, counts_of: CountsOf | None = None
) -> tuple[Comparison, ...]:
    """Compare every measured figure that has a published counterpart.

    Args:
        records: measured records.
        published: published tables.
        counts_of: reads per-image counts, for the intervals.

    Returns:
        By table, then in the order of its rows and columns, the means last.
    """
    by_protocol: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        by_protocol.setdefault((record.protocol.name, record.protocol.id), []).append(record)
    found = []
    for table in published:
        for (name, _), own in sorted(by_protocol.items()):
            if name == table.claims_protocol:
                found += _of_table(table, own, counts_of)
    return tuple(found)


def _of_table(table: PublishedTable, records: Sequence[Record], counts_of: CountsOf | None) -> list[Comparison]:
    rows, _ = measured_rows(records, ClassView())
    found = []
    for printed in table.rows:
        for one in sorted((row for row in rows if _is_counterpart(row, printed)), key=lambda row: row.row.label):
            measured = MeasuredRow(with_means(one.row, table.datasets), one.model, one.records)
            if counts_of is not None:
                measured = with_intervals(measured, table.datasets, ClassView(), counts_of)
            found += _of_row(table, printed, measured)
    return found


def _is_counterpart(row: MeasuredRow, printed: PublishedRow) -> bool:
    model = row.model
    return (
        model.weights != "untrained"
        and model.name == printed.model
        and model.train_set == printed.train_set
        and model.backbone.casefold() == printed.backbone.casefold()
    )


def _of_row(table: PublishedTable, printed: PublishedRow, one: MeasuredRow) -> list[Comparison]:
    as_printed = with_means(printed_row(printed), table.datasets)
    first = next(iter(one.records.values()))
    found = []
    for dataset in (*table.datasets, MEAN):
        for metric in METRICS:
            cell, published = one.row.cells.get((dataset, metric)), as_printed.value((dataset, metric))
            if cell is None or cell.value is None or published is None:
                continue
            verdict, outside_by = _verdict(cell, published)
            found.append(
                Comparison(
                    protocol=first.protocol.name,
                    protocol_id=first.protocol.id,
                    convention=", ".join(sorted({record.metrics.convention for record in one.records.values()})),
                    model=one.row.model,
                    label=one.row.label,
                    backbone=one.row.backbone,
                    train_set=printed.train_set,
                    table=table.name,
                    source=table.source.title,
                    dataset=dataset,
                    metric=metric,
                    published=published,
                    measured=cell.value,
                    interval=cell.interval,
                    verdict=verdict,
                    outside_by=outside_by,
                )
            )
    return found


def _verdict(cell: Cell, published: float) -> tuple[Verdict, float | None]:
    if cell.incomplete:
        return "incomplete", None
    if cell.interval is None:
        return "no interval", None
    low, high = cell.interval
    # A printed figure of two decimals may stand for anything within half a digit of it.
    half = 0.005
    if published > high + half:
        return "below", published - high
    if published < low - half:
        return "above", low - published
    return "within", 0.0
