"""A measured record beside a printed figure: only figures and claims can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ovrisisbench.errors import RecordError, did_you_mean
from ovrisisbench.evaluate.metrics import CONVENTIONS, compute_metrics
from ovrisisbench.records import read_published
from ovrisisbench.records.names import file_slug
from ovrisisbench.statistics.comparison import Settings
from ovrisisbench.statistics.competitors import model_words
from ovrisisbench.statistics.identities import FieldDifference
from ovrisisbench.statistics.intervals import figure_intervals

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records import CountsTable, PublishedRow, PublishedTable, Record
    from ovrisisbench.statistics.intervals import Interval

__all__ = ["PREFIX", "PublishedExplanation", "PublishedFigure", "explain_published", "find_published"]

PREFIX: Final = "published:"
"""What a printed row is named with: ``published:TABLE/TITLE``, or ``TABLE/TITLE/BACKBONE/TRAIN_SET``."""

_UNSTATED: Final = (
    "prepared pixels and labels",
    "images evaluated",
    "class names",
    "metric convention",
    "checkpoint",
    "package versions",
    "device",
)
"""What a printed table does not prove, whatever it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """One printed figure and the measured one, as fractions."""

    printed: float
    recorded: float | None
    by_convention: Mapping[Convention, float | None]
    """The measured figure under each convention."""
    interval: Interval | None
    """Of the measured figure under the convention of its record; None without counts or with too few scenes."""
    classes: tuple[int, int]
    """Classes that the measured mean runs over, and classes of the vocabulary."""

    @property
    def explained_by_convention(self) -> Convention | None:
        """The convention that brings the figure nearest to the printed one, if not that of the record."""
        known = {name: value for name, value in self.by_convention.items() if value is not None}
        if not known or self.recorded is None:
            return None
        best = min(known, key=lambda name: abs(known[name] - self.printed))
        return best if abs(known[best] - self.printed) < abs(self.recorded - self.printed) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedExplanation:
    """A record beside a printed row."""

    measured: str
    published: str
    dataset: str
    claims: tuple[FieldDifference, ...]
    """What the row claims otherwise than the record says; A is the record."""
    unstated: tuple[str, ...]
    figures: Mapping[str, PublishedFigure]
    """``miou`` and ``macc``, where printed."""


def find_published(name: str) -> tuple[PublishedTable, PublishedRow]:
    """Return the row that ``published:TABLE/TITLE[/BACKBONE[/TRAIN_SET]]`` names; case and punctuation do not matter.

    Raises:
        RecordError: no such table or row, or more than one.
    """
    table_name, *wanted = name.removeprefix(PREFIX).split("/")
    tables = {table.name: table for table in read_published()}
    if table_name not in tables:
        raise RecordError(
            f"There is no published table '{table_name}'; there are {', '.join(tables)}."
            f"{did_you_mean(table_name, tables)}"
        )
    table = tables[table_name]
    rows = [
        row
        for row in table.rows
        if all(file_slug(word) == own for word, own in zip(wanted, _row_words(row), strict=False))
    ]
    if len(rows) != 1 or not wanted:
        shown = rows or table.rows
        listed = "; ".join(dict.fromkeys("/".join(_row_words(row)) for row in shown))
        what = "more than one row" if len(rows) > 1 or not wanted else "no row"
        raise RecordError(f"'{name}' names {what} of {table_name}; name one of {listed}.")
    return table, rows[0]


def explain_published(
    record: Record,
    counts: CountsTable | None,
    table: PublishedTable,
    row: PublishedRow,
    settings: Settings | None = None,
) -> PublishedExplanation:
    """Set a measured record beside a printed row.

    Args:
        record: what was measured.
        counts: its per-image counts, for the interval.
        table: the printed table.
        row: one of its rows.
        settings: of the interval; the defaults if None. The convention is that of the record.

    Raises:
        RecordError: the row has no figure for the data set of the record.
    """
    settings = settings or Settings()
    key = record.dataset.key
    printed = {
        metric: column[key] / 100 for metric, column in (("miou", row.miou), ("macc", row.macc)) if key in column
    }
    if not printed:
        raise RecordError(f"The row {row.title} of {table.name} has no figure for {key}.")
    metrics = {name: compute_metrics(record.confusion_array, name) for name in CONVENTIONS}
    own = record.metrics.convention
    intervals = (
        {}
        if counts is None
        else figure_intervals(
            counts, convention=own, resamples=settings.resamples, seed=settings.seed, level=settings.level
        )
    )
    return PublishedExplanation(
        measured=f"{model_words(record)}, on {key}",
        published=f"{row.title}, {row.backbone}, {_trained(row.train_set)}, in {table.source.title}",
        dataset=key,
        claims=_claims(record, table, row),
        unstated=_UNSTATED,
        figures={
            metric: PublishedFigure(
                printed=value,
                recorded=getattr(record.metrics, metric),
                by_convention={name: getattr(found, metric) for name, found in metrics.items()},
                interval=intervals.get(metric),  # type: ignore[call-overload]
                classes=(getattr(record.metrics, f"classes_in_{metric}"), record.metrics.num_classes),
            )
            for metric, value in printed.items()
        },
    )


def _claims(record: Record, table: PublishedTable, row: PublishedRow) -> tuple[FieldDifference, ...]:
    model = record.model
    pairs = {
        "model.name": (model.name, row.model),
        "model.backbone": (file_slug(model.backbone), file_slug(row.backbone)),
        "model.train_set": (model.train_set or "none", row.train_set or "none"),
        "protocol.name": (record.protocol.name, table.claims_protocol),
        "weights": (model.weights, "checkpoint"),
        "dataset.images": ("all" if record.is_complete else f"{record.dataset.images}, not the whole data set", "all"),
    }
    return tuple(
        FieldDifference(part=name.split(".")[0], field=name, a=mine, b=other, changes_a_number=True)
        for name, (mine, other) in pairs.items()
        if mine != other and not (name == "weights" and model.weights == "none")
    )


def _row_words(row: PublishedRow) -> tuple[str, str, str]:
    return file_slug(row.title), file_slug(row.backbone), file_slug(row.train_set or "none")


def _trained(train_set: str | None) -> str:
    return f"trained on {train_set}" if train_set else "without a training set"
