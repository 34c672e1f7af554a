"""The leaderboard in a terminal: mIoU above mACC in every cell, so that eight data sets fit side by side."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ovrisisbench.leaderboard.group_tables import section_tables
from ovrisisbench.leaderboard.model import MEAN, METRICS, Block, Leaderboard, Row, Section
from ovrisisbench.leaderboard.text_table import print_text_table
from ovrisisbench.leaderboard.whole import plain_table, print_whole
from ovrisisbench.leaderboard.wording import block_caption, column_title, figure, interval_text, legend

__all__ = ["print_leaderboard"]

_STYLES = {"best": "bold", "second": "underline", "": ""}
_LABEL_WIDTH = 26


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print all sections; names are printed as they are, never read as markup.

    Args:
        board: the leaderboard.
        console: where to; a table wider than it is printed in full width, since a cut figure misleads.
    """
    for section in board.sections:
        console.print(Text(section.title, style="bold"))
        console.print(Text(f"{legend(section)} Upper line mIoU, lower line mACC."))
        for block in section.blocks:
            console.print()
            console.print(Text(block_caption(block.title, block.family), style="italic"))
            print_whole(_table(section, block, board.shows_intervals), console)
        for table in section_tables(section):
            console.print()
            print_text_table(table, console)
        console.print()
        for note in section.notes:
            console.print(Text(note))
        console.print()


def _table(section: Section, block: Block, shows_intervals: bool) -> Table:
    table = plain_table()
    longest = max(max(len(row.label), len(row.backbone)) for row in block.rows)
    table.add_column("", min_width=min(longest, _LABEL_WIDTH), max_width=_LABEL_WIDTH, overflow="fold")
    datasets = (*section.datasets, MEAN)
    lines = []
    for row in block.rows:
        has_intervals = shows_intervals and any(cell.interval for cell in row.cells.values())
        lines.append([_cell(row, dataset, has_intervals) for dataset in datasets])
    for index, dataset in enumerate(datasets):
        title = Text(column_title(section, dataset))
        # rich takes the longest word for the least width, which would cut intervals in two.
        widest = max(max(part.cell_len for part in line[index].split()) for line in lines)
        table.add_column(title, justify="right", no_wrap=True, min_width=max(title.cell_len, widest))
    for row, line in zip(block.rows, lines, strict=True):
        table.add_row(Text(f"{row.label}\n{row.backbone}"), *line)
    return table


def _cell(row: Row, dataset: str, shows_intervals: bool) -> Text:
    lines = []
    for metric in METRICS:
        cell = row.cells.get((dataset, metric))
        lines.append(Text(figure(row, (dataset, metric)), style=_STYLES[cell.rank if cell else ""]))
        if shows_intervals:
            lines.append(Text(interval_text(row, (dataset, metric)), style="dim"))
    return Text("\n").join(lines)
