"""The leaderboard as JSON: everything that is known of every cell, percentages unrounded."""

from __future__ import annotations

from typing import Any

from ovrisisbench.leaderboard.model import MEAN, METRICS, Block, Leaderboard, Metric, Row, Section
from ovrisisbench.records.json_text import json_text

__all__ = ["leaderboard_json"]


def leaderboard_json(board: Leaderboard) -> str:
    """Return the JSON text; ``figures`` goes from data set (or ``mean``) to metric to cell."""
    return json_text({"format": 1, "unit": "percent", "sections": [_section(section) for section in board.sections]})


def _section(section: Section) -> dict[str, Any]:
    return {
        "source": section.source,
        "name": section.name,
        "title": section.title,
        "protocol": {"name": section.protocol, "id": section.protocol_id},
        "convention": section.convention,
        "datasets": list(section.datasets),
        "mixed_data": [key for key in section.datasets if key in section.mixed],
        "blocks": [_block(section, block) for block in section.blocks],
        "notes": list(section.notes),
    }


def _block(section: Section, block: Block) -> dict[str, Any]:
    return {
        "title": block.title,
        "train_set": block.train_set,
        "family": block.family or None,
        "rows": [_row(section, row) for row in block.rows],
    }


def _row(section: Section, row: Row) -> dict[str, Any]:
    return {
        "model": row.model,
        "title": row.title,
        "qualifiers": list(row.qualifiers),
        "backbone": row.backbone,
        "kind": row.kind,
        "ranked": row.ranked,
        "figures": {
            dataset: {metric: _cell(row, dataset, metric) for metric in METRICS}
            for dataset in (*section.datasets, MEAN)
        },
        "printed_means": dict(row.printed_means),
    }


def _cell(row: Row, dataset: str, metric: Metric) -> dict[str, Any] | None:
    cell = row.cells.get((dataset, metric))
    if cell is None:
        return None
    return {
        "value": cell.value,
        "rank": cell.rank or None,
        "classes": cell.classes,
        "num_classes": cell.num_classes,
        "incomplete": cell.incomplete,
    }
