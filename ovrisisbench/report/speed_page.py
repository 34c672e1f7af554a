"""Speed against accuracy, as in figure 1(d) of the paper: one chart for each set of figures that compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ovrisisbench.leaderboard.model import MEAN, METRIC_NAMES, METRICS, Metric
from ovrisisbench.leaderboard.speed_table import COLUMNS, SpeedRow, SpeedSection, speed_table
from ovrisisbench.leaderboard.wording import block_caption
from ovrisisbench.records.speed import PublishedSpeed, SpeedRecord
from ovrisisbench.report.rows import ShownRow, ShownSection
from ovrisisbench.report.scatter import Point, scatter_svg

__all__ = ["speed_content"]

_NOT_STATED = "not stated"
_SIZE_OF_PUBLISHED = "B"
"""The paper times one size without naming it; its figure 1(d) shows the accuracy of size B."""


def speed_content(
    sections: Sequence[ShownSection], records: Sequence[SpeedRecord], published: Sequence[PublishedSpeed]
) -> dict[str, Any]:
    """Return the charts and tables of the page.

    Args:
        sections: rows with their accuracy.
        records: measured speed.
        published: printed speed.
    """
    tables = speed_table(records, published)
    charts = []
    for table, measured in zip(tables, _grouped(tables, records), strict=True):
        for section in sections:
            if section.section.source == table.source:
                charts += _charts(section, table, measured, published)
    return {"charts": charts, "tables": [_table(table) for table in tables]}


def _grouped(tables: Sequence[SpeedSection], records: Sequence[SpeedRecord]) -> list[list[SpeedRecord]]:
    """Return the records behind each table, found by their figures; none behind a published one."""
    return [
        [
            record
            for record in records
            for row in table.rows
            if (row.title, row.backbone) == (record.model.title, record.model.backbone)
            and row.figures[:3] == (record.image_ms.mean, record.image_ms.median, record.image_ms.p95)
        ]
        for table in tables
    ]


def _charts(
    section: ShownSection,
    table: SpeedSection,
    measured: Sequence[SpeedRecord],
    published: Sequence[PublishedSpeed],
) -> list[dict[str, Any]]:
    charts = []
    blocks = list(dict.fromkeys((row.block.title, row.block.family) for row in section.rows))
    for title, family in blocks:
        rows = [row for row in section.rows if (row.block.title, row.block.family) == (title, family)]
        if table.source == "published":
            if family != _SIZE_OF_PUBLISHED:
                continue
            timed = [(row, _printed_ms(row, published)) for row in rows]
        else:
            timed = [(row, _measured_ms(row, measured)) for row in rows]
        pairs = [(row, ms) for row, ms in timed if ms is not None]
        panels = [_panel(pairs, metric) for metric in METRICS]
        if len(pairs) > 1 and all(panels):
            charts.append(
                {
                    "title": f"{section.section.title}: {block_caption(title, family)}",
                    "speed": table.title,
                    "panels": panels,
                    "note": _note(table),
                }
            )
    return charts


def _panel(pairs: Iterable[tuple[ShownRow, float]], metric: Metric) -> str:
    points = [
        Point(x=1000 / ms, y=value, label=row.row.title, kind=row.row.kind)
        for row, ms in pairs
        if (value := row.row.value((MEAN, metric))) is not None
    ]
    name = f"m-{METRIC_NAMES[metric]}"
    return scatter_svg(points, x_title="images per second", y_title=f"{name} in percent") if len(points) > 1 else ""


def _measured_ms(row: ShownRow, records: Sequence[SpeedRecord]) -> float | None:
    fitting = [
        record.image_ms.mean
        for record in records
        if (record.model.name, record.model.backbone) == (row.row.model, row.row.backbone)
    ]
    # Two timings of one model with other settings: the settings of the row are not known to be either's.
    return fitting[0] if len(fitting) == 1 else None


def _printed_ms(row: ShownRow, published: Sequence[PublishedSpeed]) -> float | None:
    fitting = [timed.mean_ms for table in published for timed in table.rows if timed.model == row.row.model]
    return fitting[0] if len(fitting) == 1 else None


def _note(table: SpeedSection) -> str:
    if table.source == "published":
        return (
            "The source does not say which backbone was timed; the accuracy is that of size B, as in its figure 1(d)."
        )
    return "Speed is measured apart from accuracy, by 'ovrisis-bench speed'; settings may differ from those of the run."


def _table(table: SpeedSection) -> dict[str, Any]:
    kept = [index for index in range(len(COLUMNS)) if any(row.figures[index] is not None for row in table.rows)]
    return {
        "title": table.title,
        "columns": [COLUMNS[index] for index in kept],
        "rows": [
            {
                "name": ", ".join(_words(row)),
                "figures": [_figure(row.figures[index]) for index in kept],
            }
            for row in table.rows
        ],
        "notes": table.notes,
    }


def _words(row: SpeedRow) -> list[str]:
    return [word for word in (row.title, row.backbone, row.qualifier) if word and word != _NOT_STATED]


def _figure(value: float | None) -> dict[str, str]:
    if value is None:
        return {"text": "–", "sort": ""}
    return {"text": f"{value:,.0f}" if value >= 1000 else f"{value:,.2f}", "sort": f"{value:.6f}"}
