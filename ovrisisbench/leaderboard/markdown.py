"""The leaderboard as Markdown, as GitHub renders it: best bold, second best underlined."""

from __future__ import annotations

from ovrisisbench.leaderboard.group_tables import section_tables
from ovrisisbench.leaderboard.model import MEAN, Block, CellKey, Leaderboard, Row, Section
from ovrisisbench.leaderboard.text_table import text_tables_markdown
from ovrisisbench.leaderboard.wording import block_caption, column_title, figure, interval_text, legend, metric_title
from ovrisisbench.markup import escape_markdown

__all__ = ["escape_markdown", "markdown_text"]


def markdown_text(board: Leaderboard) -> str:
    """Return the Markdown text: a heading for each section, a table for each block, notes below."""
    return "\n".join(_section(section, board.shows_intervals) for section in board.sections)


def _section(section: Section, shows_intervals: bool) -> str:
    parts = [f"## {escape_markdown(section.title)}", escape_markdown(legend(section))]
    for block in section.blocks:
        parts += [
            f"**{escape_markdown(block_caption(block.title, block.family))}**",
            _table(section, block, shows_intervals),
        ]
    tables = section_tables(section)
    if tables:
        parts.append(text_tables_markdown(tables))
    if section.notes:
        parts.append("\n".join(f"- {escape_markdown(note)}" for note in section.notes))
    return "\n\n".join(parts) + "\n"


def _table(section: Section, block: Block, shows_intervals: bool) -> str:
    from tabulate import tabulate

    heads = [_head(section, key) for key in section.columns]
    lines = [
        [
            escape_markdown(row.label),
            escape_markdown(row.backbone),
            *(_cell(row, key, shows_intervals) for key in section.columns),
        ]
        for row in block.rows
    ]
    return tabulate(
        lines,
        headers=["Method", "Backbone", *map(escape_markdown, heads)],
        tablefmt="pipe",
        colalign=["left", "left", *["right"] * len(heads)],
        disable_numparse=True,
    )


def _head(section: Section, key: CellKey) -> str:
    title = metric_title(*key)
    return title if key[0] == MEAN else f"{column_title(section, key[0])} {title}"


def _cell(row: Row, key: CellKey, shows_intervals: bool) -> str:
    text = escape_markdown(figure(row, key))
    cell = row.cells.get(key)
    if cell is not None and cell.rank:
        text = f"**{text}**" if cell.rank == "best" else f"<u>{text}</u>"
    interval = interval_text(row, key) if shows_intervals else ""
    return f"{text} {escape_markdown(interval)}" if interval else text
