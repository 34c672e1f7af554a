"""The first page: every section of the leaderboard as a table that sorts and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.model import MEAN, METRIC_NAMES, METRICS, Cell, Metric, Section
from ovrisisbench.leaderboard.numbers import percent_text
from ovrisisbench.leaderboard.wording import block_caption, column_title, figure
from ovrisisbench.records import PublishedTable
from ovrisisbench.report.intervals import Interval, IntervalKey
from ovrisisbench.report.provenance import measured_provenance, published_provenance
from ovrisisbench.report.rows import ShownRow, ShownSection, file_part

__all__ = ["leaderboard_content", "result_page"]

_ANY_BACKBONE = "none"


def result_page(section: ShownSection, key: str) -> str:
    """Return the path of the page with the details of one data set under one protocol id."""
    return f"results/{section.id}/{file_part(key)}.html"


def leaderboard_content(
    sections: Sequence[ShownSection], published: Sequence[PublishedTable], intervals: Mapping[IntervalKey, Interval]
) -> dict[str, Any]:
    """Return everything that the template of the leaderboard needs.

    Args:
        sections: in the order of the page.
        published: the tables that published sections were made from.
        intervals: of figures, where there are any.
    """
    rows = [row for section in sections for row in section.rows]
    return {
        "metrics": [(metric, METRIC_NAMES[metric]) for metric in METRICS],
        "has_intervals": bool(intervals),
        "has_measured": any(section.section.source == "measured" for section in sections),
        "protocols": [(section.id, _section_choice(section.section)) for section in sections],
        "train_sets": sorted({(row.block.train_set or "", _train_title(row)) for row in rows}),
        "families": sorted({row.block.family for row in rows if row.block.family not in ("", _ANY_BACKBONE)}),
        "sections": [_section(section, intervals) for section in sections],
        "provenance": _provenance(sections, published),
        "total": len(rows),
    }


def _section(shown: ShownSection, intervals: Mapping[IntervalKey, Interval]) -> dict[str, Any]:
    section = shown.section
    keys = [MEAN, *section.datasets]
    measured_on = {key for row in shown.rows for key in row.records}
    return {
        "id": shown.id,
        "title": section.title.removesuffix(f" (id {section.protocol_id})"),
        "protocol_id": section.protocol_id,
        "convention": section.convention,
        "source": section.source,
        "columns": [{"key": key, "title": column_title(section, key)} for key in keys],
        "links": [(section.datasets[key], result_page(shown, key)) for key in section.datasets if key in measured_on],
        "rows": [
            {**_row(shown, row, keys, intervals), "group": _group(row, before)}
            for row, before in zip(shown.rows, (None, *shown.rows), strict=False)
        ],
        "notes": section.notes,
    }


def _row(
    shown: ShownSection, row: ShownRow, keys: Sequence[str], intervals: Mapping[IntervalKey, Interval]
) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.row.title,
        "qualifiers": ", ".join(row.row.qualifiers),
        "backbone": "" if row.row.backbone == _ANY_BACKBONE else row.row.backbone,
        "family": row.block.family,
        "train_set": row.block.train_set or "",
        "train_title": _train_title(row),
        "ranked": row.row.ranked,
        "kind": row.row.kind,
        "search": " ".join((row.name, _train_title(row), shown.section.protocol)).lower(),
        "cells": [
            {"key": key, "figures": [_figure(row, key, metric, intervals) for metric in METRICS]} for key in keys
        ],
    }


def _group(row: ShownRow, before: ShownRow | None) -> str:
    """Return the heading above a row that begins a block."""
    if before is not None and before.block is row.block:
        return ""
    family = "" if row.block.family == _ANY_BACKBONE else row.block.family
    return block_caption(row.block.title, family)


def _figure(row: ShownRow, key: str, metric: Metric, intervals: Mapping[IntervalKey, Interval]) -> dict[str, Any]:
    cell: Cell | None = row.row.cells.get((key, metric))
    interval = intervals.get((row.id, key, metric))
    return {
        "metric": metric,
        "text": figure(row.row, (key, metric)),
        "sort": "" if cell is None or cell.value is None else percent_text(cell.value, 6),
        "rank": cell.rank if cell else "",
        "interval": "" if interval is None else f"{interval[0]:.1f}–{interval[1]:.1f}",
    }


def _train_title(row: ShownRow) -> str:
    if row.row.kind == "floor":
        return "floor"
    return training_set_title(row.block.train_set) if row.block.train_set else "no training set"


def _section_choice(section: Section) -> str:
    return f"{section.protocol} {section.protocol_id}" if section.protocol_id else section.title


def _provenance(sections: Sequence[ShownSection], published: Sequence[PublishedTable]) -> dict[str, dict[str, object]]:
    tables = {table.name: table for table in published}
    content = {}
    for section in sections:
        titles = section.section.datasets
        for row in section.rows:
            if row.records:
                links = {key: result_page(section, key) for key in row.records}
                content[row.id] = measured_provenance(row, titles, links)
            elif section.section.name in tables:
                content[row.id] = published_provenance(row, tables[section.section.name])
    return content
