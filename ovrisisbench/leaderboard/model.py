"""The parts of a finished leaderboard, which every export prints in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ovrisisbench.leaderboard.ranking import Rank

__all__ = [
    "MEAN",
    "METRICS",
    "METRIC_NAMES",
    "Block",
    "Cell",
    "CellKey",
    "Leaderboard",
    "Metric",
    "Row",
    "Section",
    "columns_of",
]

Metric = Literal["miou", "macc"]
METRICS: tuple[Metric, ...] = ("miou", "macc")
METRIC_NAMES: Mapping[Metric, str] = {"miou": "mIoU", "macc": "mACC"}

MEAN = "mean"
"""Stands in place of a data set's key for the mean over all of them."""

CellKey = tuple[str, Metric]
"""(key of a data set, or :data:`MEAN`; metric)."""


def columns_of(datasets: Iterable[str]) -> tuple[CellKey, ...]:
    """Return all columns of figures from left to right, the means last."""
    return tuple((dataset, metric) for dataset in (*datasets, MEAN) for metric in METRICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure of the table."""

    value: float | None
    """Percent, unrounded; None where the metric is undefined."""
    rank: Rank = ""
    classes: int | None = None
    """Classes that the mean runs over; None where unknown or for a mean of data sets."""
    num_classes: int | None = None
    incomplete: bool = False
    """True if it was measured on a part of the images or on partial data."""

    @property
    def lacks_classes(self) -> bool:
        """True if the mean runs over fewer classes than the vocabulary has."""
        return self.classes is not None and self.num_classes is not None and self.classes < self.num_classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model in one configuration."""

    model: str
    title: str
    qualifiers: tuple[str, ...] = ()
    """What tells it from others of its title: venue, untrained weights, settings that differ."""
    backbone: str
    kind: str
    """``trained``, ``training-free``, ``floor``, or ``published``."""
    ranked: bool = True
    """False for floors and untrained weights, which compete with nobody."""
    cells: Mapping[CellKey, Cell] = field(default_factory=dict)
    """Only what was measured or printed."""
    printed_means: Mapping[Metric, float] = field(default_factory=dict)
    """Published rows: the source's own means, in percent."""

    @property
    def label(self) -> str:
        """Title and qualifiers in one line."""
        return f"{self.title} ({', '.join(self.qualifiers)})" if self.qualifiers else self.title

    def value(self, key: CellKey) -> float | None:
        """Return a figure in percent, None where there is none."""
        cell = self.cells.get(key)
        return None if cell is None else cell.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that are ranked against each other."""

    title: str
    """Such as ``Trained on DLRSD``."""
    train_set: str | None
    family: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Everything that was measured under one protocol id, or printed in one source."""

    source: Literal["measured", "published"]
    name: str
    """Unique, for labels: protocol name and id, or name of the published table."""
    title: str
    protocol: str
    protocol_id: str | None
    """None for published figures: they only claim a protocol."""
    convention: str | None
    datasets: Mapping[str, str]
    """Key -> title, in column order."""
    mixed: frozenset[str] = frozenset()
    """Columns whose rows were measured on different prepared data; nothing is ranked there."""
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[CellKey, ...]:
        """All columns of figures from left to right, the means last."""
        return columns_of(self.datasets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """The whole table: measured sections first, then published ones."""

    sections: tuple[Section, ...]

    @property
    def has_measured(self) -> bool:
        """True if any row was measured here."""
        return any(section.source == "measured" for section in self.sections)
