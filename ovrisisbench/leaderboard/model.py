"""The parts of a finished leaderboard, which every export prints in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ovrisisbench.catalog.class_groups import CLASS_GROUPS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BOUND_KINDS",
    "GROUP_COLUMNS",
    "MEAN",
    "METRICS",
    "METRIC_NAMES",
    "Block",
    "Cell",
    "CellKey",
    "Classes",
    "Contamination",
    "GroupColumn",
    "Leaderboard",
    "Metric",
    "Rank",
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

Rank = Literal["best", "second", ""]

Classes = Literal["all", "seen", "near", "unseen"]
"""Which classes the means of a table run over, by what the training set has shown."""

GroupColumn = Literal["seen", "near", "unseen", "harmonic"]
GROUP_COLUMNS: tuple[GroupColumn, ...] = (*CLASS_GROUPS, "harmonic")
"""mIoU of each group of classes, and the harmonic mean of those of seen and unseen classes."""

BOUND_KINDS = ("floor", "ceiling")
"""Kinds of rows that are no models: what every model must beat, and what none can pass."""


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
    interval: tuple[float, float] | None = None
    """Ends of the 95 % interval over scenes, in percent; None where per-image counts are not at hand, or not asked."""

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
    """``trained``, ``training-free``, ``floor``, ``ceiling``, or ``published``."""
    ranked: bool = True
    """False for floors, ceilings and untrained weights, which compete with nobody."""
    computed: bool = False
    """True if nothing was run: the figures follow from how many pixels each class has."""
    cells: Mapping[CellKey, Cell] = field(default_factory=dict)
    """Only what was measured or printed."""
    groups: Mapping[tuple[str, GroupColumn], Cell] = field(default_factory=dict)
    """(data set, or :data:`MEAN`; group) -> mIoU over the classes that training has shown, nearly shown, not shown.

    Empty where the training set's class names are unknown, and in tables of one group; without an entry where the group
    has no class with truth.
    """
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
class Contamination:
    """How many images of a test set models of one training set have seen in training."""

    train_set: str
    dataset: str
    of: int
    """Images that the test set has."""
    by_split: int
    """Images of the training split itself."""
    exact: int
    """Others whose pixels equal those of a training image."""
    near: int
    """Others that look the same as one."""
    left_out: bool
    """True if they were not tested."""
    at_least: bool
    """True if the training set was not complete, so that there may be more."""

    @property
    def images(self) -> int:
        """All images seen in training."""
        return self.by_split + self.exact + self.near


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
    classes: Classes = "all"
    """Which classes the means run over; other than ``all`` only beside ``classes_of``."""
    classes_of: str | None = None
    """Training set that says which classes those are."""
    contamination: tuple[Contamination, ...] = ()
    """Images seen in training, by training set and data set, where it is known."""

    @property
    def columns(self) -> tuple[CellKey, ...]:
        """All columns of figures from left to right, the means last."""
        return columns_of(self.datasets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """The whole table: measured sections first, then published ones."""

    sections: tuple[Section, ...]
    shows_intervals: bool = False
    """Whether printed forms show intervals beside figures; CSV and JSON hold those that there are."""

    @property
    def has_measured(self) -> bool:
        """True if any row was measured here."""
        return any(section.source == "measured" for section in self.sections)

    def to_frame(self) -> pd.DataFrame:
        """Return one line for each figure, with the columns of the ``.long.csv`` export; percent, unrounded."""
        from ovrisisbench.leaderboard.frame import leaderboard_frame

        return leaderboard_frame(self)

    def __repr__(self) -> str:
        rows = {section.name: sum(len(block.rows) for block in section.blocks) for section in self.sections}
        return f"<Leaderboard: {', '.join(f'{name} ({count} rows)' for name, count in rows.items()) or 'empty'}>"

    def _repr_html_(self) -> str:
        from ovrisisbench.leaderboard.terminal import print_leaderboard
        from ovrisisbench.notebook import as_html

        return as_html(lambda console: print_leaderboard(self, console))
