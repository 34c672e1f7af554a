"""Figures that were printed by others: kept apart from measured ones, with their source, as printed.

A published table has no protocol id, because nobody can prove which images,
labels and conventions stand behind it. It only claims the rules of a protocol.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ovrisisbench.records.fields import RecordModel
from ovrisisbench.records.parsing import published_tables
from ovrisisbench.records.schema import FORMAT

__all__ = ["PublishedRow", "PublishedTable", "Source", "read_published"]

Percent = Annotated[float, Field(ge=0, le=100)]
"""As printed, usually with two decimals."""


class Source(RecordModel):
    """Where the figures are printed."""

    title: str
    """Few words, for the heading of a table."""
    citation: str
    url: str
    note: str = ""
    """What a reader of the figures must know."""


class PublishedRow(RecordModel):
    """One line of a printed table."""

    model: str
    """Name of the adapter, where there is one."""
    title: str
    venue: str
    task: Literal["OVS", "OVRISIS"]
    """Made for natural images, or for overhead imagery."""
    backbone: str
    train_set: str | None
    miou: dict[str, Percent]
    """By data set."""
    macc: dict[str, Percent]
    printed_mean_miou: Percent | None = None
    """The source's own mean, which may differ from that of its columns."""
    printed_mean_macc: Percent | None = None


class PublishedTable(RecordModel):
    """One printed table."""

    format: Literal[4] = FORMAT
    kind: Literal["published"] = "published"
    name: str
    """File stem."""
    source: Source
    claims_protocol: str
    """Name of the protocol whose rules the source describes; not proved by an id."""
    datasets: Annotated[tuple[str, ...], Field(min_length=1)]
    """Columns, in the order of the table."""
    rows: Annotated[tuple[PublishedRow, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rows_fit(self) -> PublishedTable:
        seen: set[tuple[str, str, str | None]] = set()
        for index, row in enumerate(self.rows):
            for metric, column in (("miou", row.miou), ("macc", row.macc)):
                unknown = sorted(set(column) - set(self.datasets))
                if unknown:
                    raise ValueError(f"rows.{index}.{metric}: {unknown[0]} is not one of the table's data sets")
            key = (row.title, row.backbone, row.train_set)
            if key in seen:
                raise ValueError(f"rows.{index}: {row.title} {row.backbone} {row.train_set} stands in the table twice")
            seen.add(key)
        return self


@cache
def read_published() -> tuple[PublishedTable, ...]:
    """Read the published tables that are installed with the package, by name.

    Raises:
        RecordError: a file of them is wrong.
    """
    return published_tables(PublishedTable)
