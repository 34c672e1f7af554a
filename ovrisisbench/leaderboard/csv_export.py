"""The leaderboard as CSV: one line a row (wide), or one line a figure (long), for spreadsheets and pandas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from ovrisisbench.leaderboard.model import (
    GROUP_COLUMNS,
    MEAN,
    Block,
    Cell,
    CellKey,
    Leaderboard,
    Row,
    Section,
    columns_of,
)
from ovrisisbench.leaderboard.numbers import percent_text

__all__ = ["LONG_COLUMNS", "csv_text", "long_csv_text", "long_rows"]

_DIGITS = 4

_IDENTITY = (
    "source",
    "table",
    "protocol",
    "protocol_id",
    "convention",
    "classes",
    "classes_of",
    "train_set",
    "family",
    "model",
    "title",
    "qualifiers",
    "backbone",
    "kind",
    "ranked",
    "computed",
)

_LONG = (
    "dataset",
    "metric",
    "value",
    "low",
    "high",
    "rank",
    "classes_averaged",
    "num_classes",
    "incomplete",
    "printed",
)


LONG_COLUMNS: Final = (*_IDENTITY, *_LONG)
"""Columns of the long form."""

Value = str | bool | int | float | None
"""What one of its cells holds."""


def csv_text(board: Leaderboard) -> str:
    """Return the wide form: percentages with four decimals, an empty cell where there is no figure.

    ``incomplete`` lists the data sets that were measured on a part of their images, ``fewer_classes`` the means
    that run over fewer classes than the vocabulary has. The ends of intervals follow after all figures.
    """
    datasets = list(dict.fromkeys(key for section in board.sections for key in section.datasets))
    columns = columns_of(datasets)
    names = [f"{dataset}_{metric}" for dataset, metric in columns]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        [
            *_IDENTITY,
            "incomplete",
            "fewer_classes",
            *names,
            *(f"{group}_miou" for group in GROUP_COLUMNS),
            *(f"{name}_{end}" for name in names for end in ("low", "high")),
        ]
    )
    for section, block, row in _rows(board):
        incomplete = [key for key in section.datasets if (key, "miou") in row.cells and _incomplete(row, (key, "miou"))]
        fewer = [
            f"{dataset}_{metric} {cell.classes}/{cell.num_classes}"
            for (dataset, metric), cell in row.cells.items()
            if cell.lacks_classes
        ]
        writer.writerow(
            [
                *map(_text, _identity(section, block, row)),
                "; ".join(incomplete),
                "; ".join(fewer),
                *(_text(row.value(key)) for key in columns),
                *(_text(cell.value if (cell := row.groups.get((MEAN, group))) else None) for group in GROUP_COLUMNS),
                *(_text(end) for key in columns for end in _ends(row.cells.get(key))),
            ]
        )
    return buffer.getvalue()


def long_csv_text(board: Leaderboard) -> str:
    """Return the long form: one line for each figure that there is, means and groups of classes among them.

    ``metric`` is ``miou`` or ``macc``, or ``miou_seen``, ``miou_near``, ``miou_unseen``, ``miou_harmonic``; ``dataset``
    is ``mean`` for means over data sets. ``printed`` is the mean that the source prints, where it prints one.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(LONG_COLUMNS)
    writer.writerows([_text(value) for value in row] for row in long_rows(board))
    return buffer.getvalue()


def long_rows(board: Leaderboard) -> Iterator[tuple[Value, ...]]:
    """Yield the lines of the long form, columns :data:`LONG_COLUMNS`; figures in percent, unrounded, None for none."""
    for section, block, row in _rows(board):
        identity = _identity(section, block, row)
        for key in columns_of(section.datasets):
            if key in row.cells:
                printed = row.printed_means.get(key[1]) if key[0] == MEAN else None
                yield (*identity, *key, *_figure(row.cells[key]), printed)
        for dataset in (*section.datasets, MEAN):
            for group in GROUP_COLUMNS:
                if (dataset, group) in row.groups:
                    yield (*identity, dataset, f"miou_{group}", *_figure(row.groups[dataset, group]), None)


def _rows(board: Leaderboard) -> Iterator[tuple[Section, Block, Row]]:
    for section in board.sections:
        for block in section.blocks:
            for row in block.rows:
                yield section, block, row


def _identity(section: Section, block: Block, row: Row) -> tuple[Value, ...]:
    return (
        section.source,
        section.name,
        section.protocol,
        section.protocol_id,
        section.convention,
        section.classes,
        section.classes_of,
        block.train_set,
        block.family,
        row.model,
        row.title,
        "; ".join(row.qualifiers),
        row.backbone,
        row.kind,
        row.ranked,
        row.computed,
    )


def _figure(cell: Cell) -> tuple[Value, ...]:
    return (cell.value, *_ends(cell), cell.rank, cell.classes, cell.num_classes, cell.incomplete)


def _ends(cell: Cell | None) -> Sequence[float | None]:
    return (None, None) if cell is None or cell.interval is None else cell.interval


def _incomplete(row: Row, key: CellKey) -> bool:
    return row.cells[key].incomplete


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return percent_text(value, _DIGITS)
    return "" if value is None else str(value)
