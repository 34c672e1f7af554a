"""Ablation tables as text: terminal, CSV, Markdown, LaTeX, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ovrisisbench.leaderboard.ablation_table import METRICS, AblationBlock, AblationLine, AblationTable, Spread
from ovrisisbench.leaderboard.ablation_wording import caption, heading, notes
from ovrisisbench.leaderboard.forms import Forms
from ovrisisbench.leaderboard.numbers import percent_text
from ovrisisbench.leaderboard.whole import plain_table
from ovrisisbench.leaderboard.wording import MISSING
from ovrisisbench.markup import escape_latex, escape_markdown, latex_row
from ovrisisbench.records.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ablation_json", "check_ablation_export", "export_ablations", "print_ablations"]

_CHECK = "✓"


def print_ablations(tables: Sequence[AblationTable], console: Console) -> None:
    """Print all tables; names are printed as they are, never read as markup."""
    from rich.text import Text

    for table in tables:
        console.print(Text(heading(table), style="bold"))
        grid = plain_table()
        for index, head in enumerate(_heads(table)):
            grid.add_column(head, justify="left" if index <= len(table.columns) else "right", no_wrap=True)
        for block in table.blocks:
            for line in block.lines:
                grid.add_row(*map(Text, _cells(table, block, line)))
        console.print(grid)
        for sentence in (caption(table), *notes(table)):
            console.print(Text(sentence))
        console.print()


def check_ablation_export(path: Path) -> None:
    """Refuse a file name whose suffix no export goes with; call it before long work.

    Raises:
        RecordError: lists the suffixes there are.
    """
    _FORMS.check(path)


def export_ablations(tables: Sequence[AblationTable], path: Path) -> None:
    """Write the tables as CSV, JSON, Markdown or LaTeX; the same records give the same bytes.

    Raises:
        RecordError: no export goes with the suffix of ``path``.
        OvrisisBenchError: the file cannot be written.
    """
    _FORMS.write(tables, path)


def ablation_json(tables: Sequence[AblationTable]) -> str:
    """Return the JSON text: tables with blocks and rows; figures in percent, unrounded, by seed and as mean."""

    def spread(found: Spread) -> dict[str, Any]:
        return {"mean": found.mean, "deviation": found.deviation, "by_seed": list(found.values)}

    def row(line: AblationLine) -> dict[str, Any]:
        return {
            "switches": dict(line.switches),
            "seeds": list(line.seeds),
            "reference": line.is_reference,
            "figures": {metric: spread(found) for metric, found in line.figures.items()},
            "difference_to_reference": {metric: spread(found) for metric, found in line.differences.items()},
            "printed": dict(line.printed),
            "not_run": line.missing or None,
        }

    def block(found: AblationBlock) -> dict[str, Any]:
        fields = {name: value for name, value in asdict(found).items() if name not in ("lines", "title")}
        return {**fields, "rows": [row(line) for line in found.lines]}

    content = [
        {
            "name": table.name,
            "title": table.title,
            "model": table.model,
            "backbone": table.backbone,
            "training": table.training,
            "published": table.published.name,
            "caption": caption(table),
            "notes": list(notes(table)),
            "blocks": [block(found) for found in table.blocks],
        }
        for table in tables
    ]
    return json_text({"format": 1, "tables": content})


def _csv(tables: Sequence[AblationTable]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    own = [f"{metric}_{part}" for metric in METRICS for part in ("mean", "sd", "difference", "difference_sd")]
    writer.writerow(
        [
            *("table", "model", "backbone", "train_set", "protocol_id", "convention", "switches", "seeds", *own),
            *(f"printed_{metric}" for metric in METRICS),
            *("printed_train_set", "not_run"),
        ]
    )
    for table in tables:
        for block in table.blocks:
            for line in block.lines:
                figures = [
                    text
                    for metric in METRICS
                    for found in (line.figures.get(metric), line.differences.get(metric))
                    for text in _numbers(found)
                ]
                writer.writerow(
                    [
                        *(table.name, table.model, table.backbone, block.train_set, block.protocol_id),
                        *(block.convention, _switches(line), " ".join(map(str, line.seeds)), *figures),
                        *(line.printed.get(metric, "") for metric in METRICS),
                        *(block.printed_train_set or "", line.missing),
                    ]
                )
    return buffer.getvalue()


def _markdown(tables: Sequence[AblationTable]) -> str:
    from tabulate import tabulate

    parts = []
    for table in tables:
        heads = [escape_markdown(head) for head in _heads(table)]
        lines = [
            [escape_markdown(cell) for cell in _cells(table, block, line)]
            for block in table.blocks
            for line in block.lines
        ]
        left = 1 + len(table.columns)
        align = [*["left"] * left, *["right"] * (len(heads) - left)]
        grid = tabulate(lines, headers=heads, tablefmt="pipe", colalign=align, disable_numparse=True)
        under = "\n".join(f"- {escape_markdown(sentence)}" for sentence in (caption(table), *notes(table)))
        parts.append(f"## {escape_markdown(heading(table))}\n\n{grid}\n\n{under}\n")
    return "\n".join(parts)


def _latex(tables: Sequence[AblationTable]) -> str:
    lines = [r"% Needs \usepackage{amssymb}, \usepackage{booktabs} and \usepackage{graphicx}."]
    for table in tables:
        switches, metrics = len(table.columns), table.metrics
        heads = " & ".join(
            [
                *("Dataset", *(escape_latex(column.heading) for column in table.columns)),
                *(rf"\multicolumn{{2}}{{c}}{{{escape_latex(metric)}}}" for metric in metrics.values()),
                rf"$\Delta$ {escape_latex(metrics['miou'])}",
            ]
        )
        lines += [
            r"\begin{table}[t]",
            r"  \centering",
            rf"  \caption{{\textbf{{{escape_latex(heading(table))}.}} {_latex_text(caption(table))}}}",
            rf"  \label{{tab:ablation-{table.name}}}",
            r"  \resizebox{\linewidth}{!}{%",
            rf"  \begin{{tabular}}{{l*{{{switches}}}{{c}}*{{{2 * len(metrics) + 1}}}{{r}}}}",
            r"    \toprule",
            rf"    {heads} \\",
            rf"    {'& ' * (switches + 1)}{' & '.join(['ours & paper'] * len(metrics))} & \\",
        ]
        for block in table.blocks:
            lines.append(r"    \midrule")
            lines += [
                f"    {latex_row([_latex_cell(cell) for cell in _cells(table, block, line)])} \\\\"
                for line in block.lines
            ]
        lines += [r"    \bottomrule", r"  \end{tabular}}"]
        lines += [rf"  \par\footnotesize {_latex_text(sentence)}" for sentence in notes(table)]
        lines.append(r"\end{table}")
    return "\n".join(lines) + "\n"


def _latex_text(text: str) -> str:
    return escape_latex(text).replace("±", r"$\pm$").replace("Δ", r"$\Delta$")


def _latex_cell(cell: str) -> str:
    if cell == _CHECK:
        return r"\checkmark"
    # Signs stand in math mode, where a minus is one.
    number, separator, deviation = cell.partition(" ± ")
    signed = f"${number}$" if number[:1] in ("+", "-") and number[1:2].isdigit() else escape_latex(number)
    return signed + (rf" $\pm$ {escape_latex(deviation)}" if separator else "")


def _heads(table: AblationTable) -> list[str]:
    figures = [head for metric in table.metrics.values() for head in (metric, "paper")]
    return ["Dataset", *(column.heading for column in table.columns), *figures, f"Δ {table.metrics['miou']}"]


def _cells(table: AblationTable, block: AblationBlock, line: AblationLine) -> list[str]:
    """Return a row as text, the same in all forms: training set, switches, our and the paper's figures, difference."""
    first = block.title if line is block.lines[0] else ""
    switches = [_switch(line.switches[column.key]) for column in table.columns]
    figures = []
    for metric in table.metrics:
        own, printed = line.figures.get(metric), line.printed.get(metric)
        text = "not run" if line.missing else MISSING if own is None else _spread(own)
        figures += [text, MISSING if printed is None else percent_text(printed)]
    difference = line.differences.get("miou")
    delta = "reference" if line.is_reference else MISSING if difference is None else _spread(difference, sign=True)
    return [first, *switches, *figures, delta]


def _spread(found: Spread, *, sign: bool = False) -> str:
    mean = percent_text(found.mean)
    if float(mean) == 0:
        mean = mean.removeprefix("-")
    text = f"+{mean}" if sign and float(mean) > 0 else mean
    return text if found.deviation is None else f"{text} ± {percent_text(found.deviation)}"


def _numbers(found: Spread | None) -> list[str]:
    if found is None:
        return ["", ""]
    return [percent_text(found.mean, 4), "" if found.deviation is None else percent_text(found.deviation, 4)]


def _switch(value: object) -> str:
    return {True: _CHECK, False: ""}[value] if isinstance(value, bool) else str(value)


def _switches(line: AblationLine) -> str:
    on = [name if value is True else f"{name}={value}" for name, value in line.switches.items() if value is not False]
    return " ".join(on)


_FORMS: Final = Forms[Sequence[AblationTable]](
    {
        ".csv": _csv,
        ".json": ablation_json,
        ".md": _markdown,
        ".tex": _latex,
    }
)
