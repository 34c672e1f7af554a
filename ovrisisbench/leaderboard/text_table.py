"""A plain table of texts that every printed form shows alike: for what does not fit the columns of the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovrisisbench.leaderboard.latex_template import render_latex
from ovrisisbench.markup import escape_latex, escape_markdown, latex_row

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod

__all__ = ["TextTable", "print_text_table", "text_tables_latex", "text_tables_markdown"]

_WRAPPED = {"n": (26, 26), "w": (60, None)}
"""Columns that wrap in a terminal -> least and most characters."""

_LATEX = {"n": "l", "w": r"p{0.9\textwidth}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """Texts in rows and columns, not escaped for any format."""

    name: str
    """Unique, for labels."""
    title: str
    """One sentence without its full stop."""
    heads: tuple[str, ...]
    align: str
    """``l`` or ``r`` for each column; ``n`` for names and ``w`` for sentences, which may wrap."""
    rows: tuple[tuple[str, ...], ...]
    rules: frozenset[int] = frozenset()
    """Rows that begin a group: a rule stands above them where the format has rules."""
    notes: tuple[str, ...] = ()


def print_text_table(table: TextTable, console: Console) -> None:
    """Print a table; texts are printed as they are, never read as markup.

    Args:
        table: the table.
        console: where to; columns of sentences wrap at its width, the others are never cut.
    """
    from rich.cells import cell_len
    from rich.text import Text

    from ovrisisbench.leaderboard.whole import plain_table, print_whole

    console.print(Text(table.title, style="italic"))
    shown = plain_table()
    for index, (head, align) in enumerate(zip(table.heads, table.align, strict=True)):
        longest = max(map(cell_len, (head, *(row[index] for row in table.rows))))
        if align in _WRAPPED:
            least, most = _WRAPPED[align]
            shown.add_column(Text(head), overflow="fold", min_width=min(longest, least), max_width=most)
        else:
            justify: JustifyMethod = "right" if align == "r" else "left"
            shown.add_column(Text(head), justify=justify, no_wrap=True, min_width=longest)
    for row in table.rows:
        shown.add_row(*map(Text, row))
    print_whole(shown, console)
    for note in table.notes:
        console.print(Text(note))


def text_tables_markdown(tables: Sequence[TextTable]) -> str:
    """Return the tables as Markdown, each under its title in bold."""
    from tabulate import tabulate

    parts = []
    for table in tables:
        text = tabulate(
            [list(map(escape_markdown, row)) for row in table.rows],
            headers=list(map(escape_markdown, table.heads)),
            tablefmt="pipe",
            colalign=["right" if align == "r" else "left" for align in table.align],
            disable_numparse=True,
        )
        parts += [f"**{escape_markdown(table.title)}**", text]
        if table.notes:
            parts.append("\n".join(f"- {escape_markdown(note)}" for note in table.notes))
    return "\n\n".join(parts)


def text_tables_latex(tables: Sequence[TextTable]) -> str:
    """Return the tables as LaTeX, one ``table*`` each; they need the packages booktabs and graphicx."""
    return render_latex(
        "text_table.tex.jinja",
        tables=[
            {
                "caption": escape_latex(f"{table.title}."),
                "label": table.name,
                "columns": "".join(_LATEX.get(align, align) for align in table.align),
                "heads": latex_row(list(map(escape_latex, table.heads))),
                "rows": [
                    {"line": latex_row(list(map(escape_latex, row))), "rule": index in table.rules and index > 0}
                    for index, row in enumerate(table.rows)
                ],
                "notes": list(map(escape_latex, table.notes)),
            }
            for table in tables
        ],
    )
