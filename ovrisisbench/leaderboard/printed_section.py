"""A published table -> a section of the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence

from ovrisisbench.leaderboard.blocks import blocks_of, dataset_title, with_means
from ovrisisbench.leaderboard.bound_notes import printed_bound_note
from ovrisisbench.leaderboard.bounds import bound_rows, tested_data
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.measured import measured_rows
from ovrisisbench.leaderboard.model import Row, Section, columns_of
from ovrisisbench.leaderboard.notes import printed_notes
from ovrisisbench.leaderboard.printed import printed_row
from ovrisisbench.records import PublishedTable, Record

__all__ = ["printed_section"]


def printed_section(table: PublishedTable, claimed: Sequence[Record]) -> Section:
    """Return the section of a published table.

    Args:
        table: as printed.
        claimed: measured records of the protocol whose rules it claims; their labelled pixels give it floors.
    """
    rows = [with_means(printed_row(published), table.datasets) for published in table.rows]
    pairs = [(published.train_set, row) for published, row in zip(table.rows, rows, strict=True)]
    bounds = _bounds(table, claimed)
    return Section(
        source="published",
        name=table.name,
        title=f"Published: {table.source.title}",
        protocol=table.claims_protocol,
        protocol_id=None,
        convention=None,
        datasets={key: dataset_title(key) for key in table.datasets},
        blocks=blocks_of([*pairs, *((None, row) for row in bounds)], columns_of(table.datasets), ()),
        notes=(*printed_notes(table, rows), printed_bound_note(bounds)),
    )


def _bounds(table: PublishedTable, claimed: Sequence[Record]) -> list[Row]:
    """Compute floors from complete records on the same data sets, by the first protocol id that has any."""
    whole = [record for record in claimed if record.is_complete and record.dataset.key in table.datasets]
    ids = sorted({record.protocol.id for record in whole})
    if not ids:
        return []
    rows, _ = measured_rows([record for record in whole if record.protocol.id == ids[0]], ClassView())
    tested = tested_data(rows, table.datasets)
    return bound_rows(tested, (), table.datasets, ClassView(), ()) if None in tested else []
