"""The leaderboard in a terminal: mIoU above mACC in every cell, so that eight data sets fit side by side."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from ovrisisbench.leaderboard.model import MEAN, METRICS, Block, Leaderboard, Row, Section
from ovrisisbench.leaderboard.wording import block_caption, column_title, figure, legend

__all__ = ["print_leaderboard"]

_STYLES = {"best": "bold", "second": "underline", "": ""}
_LABEL_WIDTH = 26
_UNBOUNDED = 10_000


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
            _print_whole(_table(section, block), console)
        console.print()
        for note in section.notes:
            console.print(Text(note))
        console.print()


def _print_whole(table: Table, console: Console) -> None:
    # rich would cut figures to fit a narrow console; a line that the terminal wraps is better than a cut figure.
    minimum = Measurement.get(console, console.options.update(width=_UNBOUNDED), table).minimum
    options = console.options.update(width=max(console.width, minimum))
    console.print(Segments(console.render(table, options)), end="", crop=False, soft_wrap=True)


def _table(section: Section, block: Block) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    longest = max(max(len(row.label), len(row.backbone)) for row in block.rows)
    table.add_column("", min_width=min(longest, _LABEL_WIDTH), max_width=_LABEL_WIDTH, overflow="fold")
    for dataset in (*section.datasets, MEAN):
        table.add_column(Text(column_title(section, dataset)), justify="right", no_wrap=True)
    for row in block.rows:
        figures = [_cell(row, dataset) for dataset in (*section.datasets, MEAN)]
        table.add_row(Text(f"{row.label}\n{row.backbone}"), *figures)
    return table


def _cell(row: Row, dataset: str) -> Text:
    lines = []
    for metric in METRICS:
        cell = row.cells.get((dataset, metric))
        lines.append(Text(figure(row, (dataset, metric)), style=_STYLES[cell.rank if cell else ""]))
    return Text("\n").join(lines)
