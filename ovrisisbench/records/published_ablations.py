"""Ablation tables that were printed by others: which parts of a model were on, and what came out, as printed.

Every figure is a mean over several test sets; no source prints the single ones.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ovrisisbench.records.fields import RecordModel
from ovrisisbench.records.parsing import published_tables
from ovrisisbench.records.published import Percent, Source
from ovrisisbench.records.schema import FORMAT

__all__ = ["AblationColumn", "PublishedAblation", "PublishedAblationRow", "read_published_ablations"]

Metric = Literal["miou", "fwiou", "macc"]

SwitchValue = bool | int | str
"""What stands in one cell of a column of switches: a check mark or none, a number, a word."""


class AblationColumn(RecordModel):
    """One switch of the model that the table turns."""

    key: str
    heading: str
    """As printed."""
    meaning: str
    """What the heading stands for, in words."""


class PublishedAblationRow(RecordModel):
    """One line of a printed ablation, or one column where the table lies on its side."""

    train_set: str | None
    """None where the source does not say it."""
    switches: dict[str, SwitchValue]
    """By key of the column."""
    miou: Percent
    """Mean over the test sets, as the two others."""
    fwiou: Percent | None = None
    macc: Percent


class PublishedAblation(RecordModel):
    """One printed ablation table."""

    format: Literal[4] = FORMAT
    kind: Literal["published-ablation"] = "published-ablation"
    name: str
    """File stem."""
    caption: str
    """As printed, without the number."""
    source: Source
    claims_protocol: str
    """Name of the protocol whose rules the source describes; not proved by an id."""
    model: str
    """Name of the adapter."""
    test_sets: Annotated[tuple[str, ...], Field(min_length=1)]
    """Whose mean the figures are, by the words of the source."""
    unstated: tuple[str, ...] = ()
    """What the source does not say."""
    columns: Annotated[tuple[AblationColumn, ...], Field(min_length=1)]
    """Switches, in the order of the table."""
    metrics: Annotated[dict[Metric, str], Field(min_length=1)]
    """What is printed -> its heading."""
    rows: Annotated[tuple[PublishedAblationRow, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rows_fit(self) -> PublishedAblation:
        keys = {column.key for column in self.columns}
        seen: list[tuple[str | None, dict[str, SwitchValue]]] = []
        for index, row in enumerate(self.rows):
            odd = sorted(keys ^ set(row.switches))
            if odd:
                raise ValueError(f"rows.{index}.switches: {odd[0]} stands in the row or in the columns, not in both")
            if (row.fwiou is None) == ("fwiou" in self.metrics):
                raise ValueError(f"rows.{index}.fwiou must stand there exactly where the table prints fwIoU")
            if (row.train_set, row.switches) in seen:
                raise ValueError(f"rows.{index}: {row.train_set} {row.switches} stands in the table twice")
            seen.append((row.train_set, row.switches))
        return self

    def row(self, train_set: str | None, **switches: SwitchValue) -> PublishedAblationRow:
        """Return the row with these switches; those that are not named are off.

        Raises:
            KeyError: no such row.
        """
        wanted = {column.key: switches.get(column.key, False) for column in self.columns}
        for row in self.rows:
            if row.train_set == train_set and row.switches == wanted:
                return row
        raise KeyError(f"{self.name} has no row {train_set} {switches}")


@cache
def read_published_ablations() -> tuple[PublishedAblation, ...]:
    """Read the published ablation tables that are installed with the package, by name.

    Raises:
        RecordError: a file of them is wrong.
    """
    return published_tables(PublishedAblation, "ablations")
