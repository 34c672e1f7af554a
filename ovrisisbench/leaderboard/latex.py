r"""The leaderboard as LaTeX: one ``table*`` for each section, laid out as table 1 of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from ovrisisbench.leaderboard.group_tables import section_tables
from ovrisisbench.leaderboard.latex_template import latex_label, render_latex
from ovrisisbench.leaderboard.model import MEAN, METRICS, Block, CellKey, Leaderboard, Row, Section
from ovrisisbench.leaderboard.text_table import text_tables_latex
from ovrisisbench.leaderboard.wording import (
    MISSING,
    class_words,
    column_title,
    figure,
    interval_text,
    metric_title,
)
from ovrisisbench.markup import escape_latex, latex_row

__all__ = ["escape_latex", "latex_text"]


def latex_text(board: Leaderboard) -> str:
    """Return the LaTeX text; it needs the packages booktabs and graphicx, which its first line says."""
    return render_latex(
        "table.tex.jinja", sections=[_section(section, board.shows_intervals) for section in board.sections]
    )


def _section(section: Section, shows_intervals: bool) -> dict[str, Any]:
    groups = [
        {
            "title": escape_latex(title),
            "blocks": [
                [line for row in block.rows for line in _lines(section, row, shows_intervals)] for block in blocks
            ],
        }
        for title, blocks in _by_title(section.blocks)
    ]
    datasets = (*section.datasets, MEAN)
    return {
        "caption": escape_latex(_caption(section, shows_intervals)),
        "label": latex_label(section.name),
        "heads": [escape_latex(column_title(section, dataset)) for dataset in datasets],
        "metrics": [metric_title(dataset, metric) for dataset in datasets for metric in METRICS],
        "rules": [f"{first}-{first + 1}" for first in range(3, 3 + 2 * len(datasets), 2)],
        "width": 2 + len(datasets) * len(METRICS),
        "groups": groups,
        "notes": [escape_latex(note) for note in section.notes],
        "tables": text_tables_latex(section_tables(section)),
    }


def _by_title(blocks: Iterable[Block]) -> list[tuple[str, list[Block]]]:
    return [(title, list(found)) for title, found in groupby(blocks, key=lambda block: block.title)]


def _caption(section: Section, shows_intervals: bool) -> str:
    if section.source == "published":
        return f"{section.title}. mIoU and mACC in percent. Best in bold, second best underlined."
    intervals = " Below each figure its 95 % interval over scenes." if shows_intervals else ""
    which = f", {class_words(section.classes, section.classes_of)}" if section.classes != "all" else ""
    return (
        f"Results under protocol {section.protocol} (id {section.protocol_id}), metric convention "
        f"{section.convention}{which}. mIoU and mACC in percent.{intervals} Best in bold, second best underlined, "
        "among the rows of one training set and one size of backbone."
    )


def _lines(section: Section, row: Row, shows_intervals: bool) -> list[str]:
    cells = [escape_latex(row.label), escape_latex(row.backbone), *(_cell(row, key) for key in section.columns)]
    lines = [latex_row(cells)]
    intervals = [interval_text(row, key) for key in section.columns]
    if shows_intervals and any(intervals):
        # As narrow as the figures above, so that the table need not shrink.
        ranges = [text.strip("[]").replace(", ", "–") for text in intervals]
        small = [rf"{{\tiny {escape_latex(text)}}}" if text else "" for text in ranges]
        lines.append(latex_row(["", "", *small]))
    return lines


def _cell(row: Row, key: CellKey) -> str:
    cell = row.cells.get(key)
    text = escape_latex(figure(row, key))
    if cell is None or cell.value is None or text == MISSING or not cell.rank:
        return text
    return rf"\textbf{{{text}}}" if cell.rank == "best" else rf"\underline{{{text}}}"
