"""Records of trainings with several seeds -> the rows of an ablation table, beside the printed ones."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovrisisbench.catalog import Protocol, load_card
from ovrisisbench.leaderboard.numbers import mean_of, percent
from ovrisisbench.records import Record
from ovrisisbench.records.published_ablations import (
    AblationColumn,
    PublishedAblation,
    PublishedAblationRow,
    SwitchValue,
)

__all__ = [
    "METRICS",
    "AblationBlock",
    "AblationLine",
    "AblationTable",
    "MeasuredRow",
    "Spread",
    "ablation_block",
]

METRICS = ("miou", "fwiou", "macc")
"""Fields of a record's metrics, in the order of the tables."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure of several seeds, or one difference, in percent or percentage points."""

    values: tuple[float, ...]
    """By seed."""

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return mean_of(self.values)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a sample (n - 1); None for a single seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRow:
    """What was measured of one row."""

    switches: Mapping[str, SwitchValue]
    seeds: Mapping[int, Sequence[Record]]
    """Seed -> one record for each test set; empty where the row was not run."""
    missing: str = ""
    """One sentence: why it was not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationLine:
    """One row of the table."""

    switches: Mapping[str, SwitchValue]
    """By key of the columns; what is off is False."""
    seeds: tuple[int, ...]
    figures: Mapping[str, Spread]
    """Mean over the test sets, by metric; a metric without a value on some test set is left out."""
    differences: Mapping[str, Spread]
    """The same minus the reference row's of the same seed; empty for the reference itself."""
    printed: Mapping[str, float]
    """The source's figures, by metric; empty where it has no such row."""
    is_reference: bool = False
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationBlock:
    """The rows of one training set."""

    train_set: str
    title: str
    printed_train_set: str | None
    """What the printed figures beside it were trained on; None where the source does not say it, or has none."""
    test_sets: tuple[str, ...]
    """Titles."""
    protocol: str
    protocol_id: str
    convention: str
    is_drawn: bool
    """True where the data are drawn, and the printed figures are of real ones."""
    limited: bool
    """True if any data set was measured in part only."""
    partial: bool
    """True if prepared data lack files that their cards expect."""
    lines: tuple[AblationLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationTable:
    """One table, ready to be printed."""

    name: str
    """Of the ablation."""
    title: str
    model: str
    backbone: str
    training: str
    """How all rows were trained, in words."""
    published: PublishedAblation
    blocks: tuple[AblationBlock, ...]
    notes: tuple[str, ...]

    @property
    def columns(self) -> tuple[AblationColumn, ...]:
        """The switches."""
        return self.published.columns

    @property
    def metrics(self) -> dict[str, str]:
        """Metrics that the source prints, in the order of the tables -> its headings."""
        return {
            metric: heading for metric in METRICS for key, heading in self.published.metrics.items() if key == metric
        }


def ablation_block(
    rows: Sequence[MeasuredRow],
    *,
    published: PublishedAblation,
    train_set: str,
    rules: Protocol,
    test_sets: Sequence[str],
    reference: Mapping[str, SwitchValue],
) -> AblationBlock:
    """Compute the rows of one training set.

    Args:
        rows: in the order of the table.
        published: the printed table.
        train_set: key.
        rules: by which was measured.
        test_sets: keys; every seed of a row has a record for each.
        reference: switches of the row that the others are compared with; what is left out is off.
    """
    card = load_card(train_set)
    used = [record.dataset for row in rows for records in row.seeds.values() for record in records]
    printed_set = _printed_train_set(published, card.family)
    full = [_full(published, row.switches) for row in rows]
    against = _full(published, reference)
    means = [{seed: _means(records, test_sets) for seed, records in row.seeds.items()} for row in rows]
    base = next((found for switches, found in zip(full, means, strict=True) if switches == against), {})
    lines = []
    for row, switches, found in zip(rows, full, means, strict=True):
        shared = {seed: values for seed, values in found.items() if seed in base}
        lines.append(
            AblationLine(
                switches=switches,
                seeds=tuple(found),
                figures=_spreads(list(found.values())),
                differences={} if switches == against else _differences(shared, base),
                printed=_printed(published, printed_set, switches),
                is_reference=switches == against,
                missing=row.missing,
            )
        )
    return AblationBlock(
        train_set=train_set,
        title=card.title,
        printed_train_set=printed_set,
        test_sets=tuple(load_card(key).title for key in test_sets),
        protocol=rules.name,
        protocol_id=rules.id,
        convention=rules.metric_convention,
        is_drawn=card.drawn_after is not None,
        limited=any(dataset.limited for dataset in used),
        partial=any(dataset.partial for dataset in used),
        lines=tuple(lines),
    )


def _full(published: PublishedAblation, switches: Mapping[str, SwitchValue]) -> dict[str, SwitchValue]:
    return {column.key: switches.get(column.key, False) for column in published.columns}


def _means(records: Sequence[Record], test_sets: Sequence[str]) -> dict[str, float]:
    """Return the mean over the test sets by metric, in percent; without metrics that some test set does not have."""
    by_key = {record.dataset.key: record.metrics for record in records}
    means = {}
    for metric in METRICS:
        values = [getattr(by_key[key], metric) for key in test_sets]
        if None not in values:
            means[metric] = mean_of([percent(value) for value in values])
    return means


def _spreads(seeds: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    return {
        metric: Spread(tuple(seed[metric] for seed in seeds))
        for metric in METRICS
        if seeds and all(metric in seed for seed in seeds)
    }


def _differences(
    found: Mapping[int, Mapping[str, float]], base: Mapping[int, Mapping[str, float]]
) -> dict[str, Spread]:
    return _spreads(
        [
            {metric: values[metric] - base[seed][metric] for metric in values if metric in base[seed]}
            for seed, values in found.items()
        ]
    )


def _printed_train_set(published: PublishedAblation, family: str) -> str | None:
    """Return the training set of the figures to be shown: the same, or the only one there is."""
    there = {row.train_set for row in published.rows}
    if family in there or len(there) > 1:
        return family
    return there.pop()


def _printed(
    published: PublishedAblation, train_set: str | None, switches: Mapping[str, SwitchValue]
) -> dict[str, float]:
    found: PublishedAblationRow | None
    try:
        found = published.row(train_set, **switches)
    except KeyError:
        return {}
    return {metric: value for metric in METRICS if (value := getattr(found, metric)) is not None}
