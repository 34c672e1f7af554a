"""The leaderboard as CSV: one line a row, for spreadsheets and pandas."""

from __future__ import annotations

import csv
import io

from ovrisisbench.leaderboard.model import Block, Leaderboard, Row, Section, columns_of
from ovrisisbench.leaderboard.numbers import percent_text

__all__ = ["csv_text"]

_DIGITS = 4

_ABOUT = (
    "source",
    "table",
    "protocol",
    "protocol_id",
    "convention",
    "train_set",
    "family",
    "model",
    "title",
    "qualifiers",
    "backbone",
    "kind",
    "ranked",
    "incomplete",
    "fewer_classes",
)


def csv_text(board: Leaderboard) -> str:
    """Return the CSV text: percentages with four decimals, an empty cell where there is no figure.

    ``incomplete`` lists the data sets that were measured on a part of their images, ``fewer_classes`` the means
    that run over fewer classes than the vocabulary has.
    """
    datasets = list(dict.fromkeys(key for section in board.sections for key in section.datasets))
    columns = columns_of(datasets)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*_ABOUT, *(f"{dataset}_{metric}" for dataset, metric in columns)])
    for section in board.sections:
        for block in section.blocks:
            for row in block.rows:
                values = [row.value(key) for key in columns]
                figures = ["" if value is None else percent_text(value, _DIGITS) for value in values]
                writer.writerow([*_about(section, block, row), *figures])
    return buffer.getvalue()


def _about(section: Section, block: Block, row: Row) -> list[str]:
    incomplete = [key for key in section.datasets if (key, "miou") in row.cells and row.cells[key, "miou"].incomplete]
    fewer = [
        f"{dataset}_{metric} {cell.classes}/{cell.num_classes}"
        for (dataset, metric), cell in row.cells.items()
        if cell.lacks_classes
    ]
    return [
        section.source,
        section.name,
        section.protocol,
        section.protocol_id or "",
        section.convention or "",
        block.train_set or "",
        block.family,
        row.model,
        row.title,
        "; ".join(row.qualifiers),
        row.backbone,
        row.kind,
        "yes" if row.ranked else "no",
        "; ".join(incomplete),
        "; ".join(fewer),
    ]
