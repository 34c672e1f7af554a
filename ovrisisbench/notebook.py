"""Results in a notebook: what a terminal would show, as HTML that is escaped and follows the page's colours."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.style import Style

__all__ = ["HtmlConsole", "as_html"]

_BORDER = "1px solid rgba(128,128,128,.45)"
"""Seen on white and on black."""


def as_html(show: Callable[[HtmlConsole], object]) -> str:
    """Return as HTML what a function prints.

    Args:
        show: such as :func:`ovrisisbench.leaderboard.print_leaderboard` with its first argument bound; it may print
            texts and tables.

    Returns:
        One ``div``; every text in it is escaped, and it sets no colour.

    Example:
        >>> as_html(lambda console: console.print(Text("<b> & co")))
        '<div style="overflow-x:auto"><div>&lt;b&gt; &amp; co</div></div>'
    """
    console = HtmlConsole()
    show(console)
    return f'<div style="overflow-x:auto">{"".join(console.parts)}</div>'


class HtmlConsole(Console):
    """Collects texts and tables instead of printing them."""

    def __init__(self) -> None:
        super().__init__(file=io.StringIO(), width=1000, highlight=False, color_system=None)
        self.parts: list[str] = []
        """HTML of everything printed so far."""

    def print(self, *objects: Any, **_options: Any) -> None:  # noqa: ANN401 - rich's own signature
        """Collect tables, and texts as lines of their own."""
        for one in objects:
            self.parts.append(self._table(one) if isinstance(one, Table) else f"<div>{self._text(one)}</div>")

    def _table(self, table: Table) -> str:
        title = f"<caption style='text-align:left'>{self._text(table.title)}</caption>" if table.title else ""
        heads = "".join(self._cell("th", column.header, column) for column in table.columns)
        head = f"<thead><tr>{heads}</tr></thead>" if any(str(column.header) for column in table.columns) else ""
        cells = zip(*(column.cells for column in table.columns), strict=True)
        lines = []
        above = f"border-top:{_BORDER}"
        for row, line in zip(table.rows, cells, strict=True):
            inner = "".join(
                self._cell("td", cell, column, above) for cell, column in zip(line, table.columns, strict=True)
            )
            lines.append(f"<tr>{inner}</tr>")
            above = f"border-top:{_BORDER}" if row.end_section else ""
        body = f"<tbody>{''.join(lines)}</tbody>"
        return f'<table style="border-collapse:collapse;margin:.3em 0">{title}{head}{body}</table>'

    def _cell(self, tag: str, content: Any, column: Column, style: str = "") -> str:  # noqa: ANN401 - a renderable
        align = "right" if column.justify == "right" else "left"
        whole = f"text-align:{align};vertical-align:top;padding:.1em .6em;{style}".rstrip(";")
        return f'<{tag} style="{whole}">{self._text(content)}</{tag}>'

    def _text(self, content: Any) -> str:  # noqa: ANN401 - a renderable
        text = content if isinstance(content, Text) else self.render_str(str(content), highlight=False)
        plain = Text("", style=text.style, end="").append_text(text)
        parts = [
            _styled(escape(segment.text).replace("\n", "<br>"), segment.style)
            for segment in plain.render(self)
            if segment.text
        ]
        return "".join(parts)


def _styled(html: str, style: Style | None) -> str:
    if style is None:
        return html
    for wanted, tag in ((style.bold, "b"), (style.underline, "u"), (style.italic, "i"), (style.dim, "small")):
        if wanted:
            html = f"<{tag}>{html}</{tag}>"
    return html
