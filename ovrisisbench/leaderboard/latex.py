r"""The leaderboard as LaTeX: one ``table*`` for each section, laid out as table 1 of the paper."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from ovrisisbench.leaderboard.model import MEAN, METRICS, Block, CellKey, Leaderboard, Row, Section
from ovrisisbench.leaderboard.wording import MISSING, column_title, figure, metric_title
from ovrisisbench.markup import escape_latex

__all__ = ["escape_latex", "latex_text"]


def latex_text(board: Leaderboard) -> str:
    """Return the LaTeX text; it needs the packages booktabs and graphicx, which its first line says."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # The delimiters are LaTeX commands, so that the template is readable as LaTeX; every value is escaped
    # by hand, because jinja2's own escaping is for HTML.
    environment = Environment(
        loader=PackageLoader("ovrisisbench.leaderboard", "."),
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\#{",
        comment_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - that is for HTML; every value goes through escape_latex
    )
    template = environment.get_template("table.tex.jinja")
    return template.render(sections=[_section(section) for section in board.sections])


def _section(section: Section) -> dict[str, Any]:
    groups = [
        {"title": escape_latex(title), "blocks": [[_line(section, row) for row in block.rows] for block in blocks]}
        for title, blocks in _by_title(section.blocks)
    ]
    datasets = (*section.datasets, MEAN)
    return {
        "caption": escape_latex(_caption(section)),
        "label": re.sub(r"[^A-Za-z0-9.-]+", "-", section.name),
        "heads": [escape_latex(column_title(section, dataset)) for dataset in datasets],
        "metrics": [metric_title(dataset, metric) for dataset in datasets for metric in METRICS],
        "width": 2 + len(datasets) * len(METRICS),
        "groups": groups,
        "notes": [escape_latex(note) for note in section.notes],
    }


def _by_title(blocks: Iterable[Block]) -> list[tuple[str, list[Block]]]:
    return [(title, list(found)) for title, found in groupby(blocks, key=lambda block: block.title)]


def _caption(section: Section) -> str:
    if section.source == "published":
        return f"{section.title}. mIoU and mACC in percent. Best in bold, second best underlined."
    return (
        f"Results under protocol {section.protocol} (id {section.protocol_id}), metric convention "
        f"{section.convention}. mIoU and mACC in percent. Best in bold, second best underlined, among the rows of "
        "one training set and one size of backbone."
    )


def _line(section: Section, row: Row) -> str:
    cells = [escape_latex(row.label), escape_latex(row.backbone), *(_cell(row, key) for key in section.columns)]
    return " & ".join(cells)


def _cell(row: Row, key: CellKey) -> str:
    cell = row.cells.get(key)
    text = escape_latex(figure(row, key))
    if cell is None or cell.value is None or text == MISSING or not cell.rank:
        return text
    return rf"\textbf{{{text}}}" if cell.rank == "best" else rf"\underline{{{text}}}"
