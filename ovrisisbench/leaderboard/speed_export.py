"""The table of speed as text: terminal, CSV, Markdown, LaTeX, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ovrisisbench.leaderboard.forms import Forms
from ovrisisbench.leaderboard.speed_table import COLUMNS, SpeedRow, SpeedSection
from ovrisisbench.leaderboard.whole import plain_table
from ovrisisbench.leaderboard.wording import MISSING
from ovrisisbench.markup import escape_latex, escape_markdown, latex_row
from ovrisisbench.records.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["check_speed_export", "export_speed", "print_speed", "speed_json"]

_DIGITS = (2, 2, 2, 2, 2, 2, 2, 1, 0)


def print_speed(sections: Sequence[SpeedSection], console: Console) -> None:
    """Print all sections; names are printed as they are, never read as markup."""
    from rich.text import Text

    for section in sections:
        console.print(Text(section.title, style="bold"))
        table = plain_table()
        table.add_column("", no_wrap=True)
        for column in _shown(section):
            table.add_column(COLUMNS[column], justify="right", no_wrap=True)
        for row in section.rows:
            table.add_row(Text(_label(row)), *(_figure(row, column) for column in _shown(section)))
        console.print(table)
        for note in section.notes:
            console.print(Text(note))
        console.print()


def check_speed_export(path: Path) -> None:
    """Refuse a file name whose suffix no export goes with; call it before long work.

    Raises:
        RecordError: lists the suffixes there are.
    """
    _FORMS.check(path)


def export_speed(sections: Sequence[SpeedSection], path: Path) -> None:
    """Write the table as CSV, JSON, Markdown or LaTeX.

    Raises:
        RecordError: no export goes with the suffix of ``path``.
        OvrisisBenchError: the file cannot be written.
    """
    _FORMS.write(sections, path)


def speed_json(sections: Sequence[SpeedSection]) -> str:
    """Return the JSON text: sections with their rows, figures by column, unrounded."""

    def row(found: SpeedRow) -> dict[str, Any]:
        return {**asdict(found), "figures": dict(zip(COLUMNS, found.figures, strict=True))}

    content = [{**asdict(section), "rows": [row(found) for found in section.rows]} for section in sections]
    return json_text({"format": 1, "sections": content})


def _csv(sections: Sequence[SpeedSection]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        [
            "source",
            "section",
            "model",
            "backbone",
            "qualifier",
            *(name.replace(" ", "_").replace("/", "_per_") for name in COLUMNS),
        ]
    )
    for section in sections:
        for row in section.rows:
            figures = ["" if value is None else f"{value:.4f}" for value in row.figures]
            writer.writerow([section.source, section.title, row.title, row.backbone, row.qualifier, *figures])
    return buffer.getvalue()


def _markdown(sections: Sequence[SpeedSection]) -> str:
    from tabulate import tabulate

    parts = []
    for section in sections:
        shown = _shown(section)
        lines = [[escape_markdown(_label(row)), *(_figure(row, column) for column in shown)] for row in section.rows]
        table = tabulate(
            lines,
            headers=["Method", *(COLUMNS[column] for column in shown)],
            tablefmt="pipe",
            colalign=["left", *["right"] * len(shown)],
            disable_numparse=True,
        )
        notes = "\n".join(f"- {escape_markdown(note)}" for note in section.notes)
        parts.append(f"## {escape_markdown(section.title)}\n\n{table}\n\n{notes}\n")
    return "\n".join(parts)


def _latex(sections: Sequence[SpeedSection]) -> str:
    lines = [r"% Needs \usepackage{booktabs} and \usepackage{graphicx}."]
    for section in sections:
        shown = _shown(section)
        heads = " & ".join(["Method", *(escape_latex(COLUMNS[column]) for column in shown)])
        lines += [
            r"\begin{table}[t]",
            r"  \centering",
            rf"  \caption{{{escape_latex(section.title)}.}}",
            rf"  \label{{tab:speed-{section.source}-{len(lines)}}}",
            r"  \resizebox{\linewidth}{!}{%",
            rf"  \begin{{tabular}}{{l*{{{len(shown)}}}{{r}}}}",
            r"    \toprule",
            rf"    {heads} \\",
            r"    \midrule",
        ]
        for row in section.rows:
            cells = [escape_latex(_label(row)), *(escape_latex(_figure(row, column)) for column in shown)]
            lines.append(rf"    {latex_row(cells)} \\")
        lines += [r"    \bottomrule", r"  \end{tabular}}"]
        lines += [rf"  \par\footnotesize {escape_latex(note)}" for note in section.notes]
        lines.append(r"\end{table}")
    return "\n".join(lines) + "\n"


def _shown(section: SpeedSection) -> list[int]:
    """Columns in which any row has a figure."""
    return [index for index in range(len(COLUMNS)) if any(row.figures[index] is not None for row in section.rows)]


def _label(row: SpeedRow) -> str:
    return f"{row.title}, {row.backbone}" + (f" ({row.qualifier})" if row.qualifier else "")


def _figure(row: SpeedRow, column: int) -> str:
    value = row.figures[column]
    return MISSING if value is None else f"{value:,.{_DIGITS[column]}f}"


_FORMS: Final = Forms[Sequence[SpeedSection]](
    {
        ".csv": _csv,
        ".json": speed_json,
        ".md": _markdown,
        ".tex": _latex,
    }
)
