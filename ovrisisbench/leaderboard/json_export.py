"""The leaderboard as JSON: everything that is known of every cell, percentages unrounded."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ovrisisbench.leaderboard.model import (
    GROUP_COLUMNS,
    MEAN,
    METRICS,
    Block,
    Cell,
    Leaderboard,
    Metric,
    Row,
    Section,
)
from ovrisisbench.records.json_text import json_text

__all__ = ["leaderboard_json"]


def leaderboard_json(board: Leaderboard) -> str:
    """Return the JSON text; ``figures`` goes from data set (or ``mean``) to metric to cell.

    ``groups`` goes from data set to mIoU of the classes that training has shown, nearly shown and not shown, and the
    harmonic mean of the first and the last; null where that is not known of the training set.
    """
    return json_text({"format": 1, "unit": "percent", "sections": [_section(section) for section in board.sections]})


def _section(section: Section) -> dict[str, Any]:
    return {
        "source": section.source,
        "name": section.name,
        "title": section.title,
        "protocol": {"name": section.protocol, "id": section.protocol_id},
        "convention": section.convention,
        "classes": {"group": section.classes, "train_set": section.classes_of},
        "datasets": list(section.datasets),
        "mixed_data": [key for key in section.datasets if key in section.mixed],
        "blocks": [_block(section, block) for block in section.blocks],
        "seen_in_training": [{**asdict(entry), "images": entry.images} for entry in section.contamination],
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
        "computed": row.computed,
        "figures": {
            dataset: {metric: _cell(row, dataset, metric) for metric in METRICS}
            for dataset in (*section.datasets, MEAN)
        },
        "groups": {
            dataset: {group: _content(row.groups.get((dataset, group))) for group in GROUP_COLUMNS}
            for dataset in (*section.datasets, MEAN)
        }
        if row.groups
        else None,
        "printed_means": dict(row.printed_means),
    }


def _cell(row: Row, dataset: str, metric: Metric) -> dict[str, Any] | None:
    return _content(row.cells.get((dataset, metric)))


def _content(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {
        "value": cell.value,
        "interval": None if cell.interval is None else list(cell.interval),
        "rank": cell.rank or None,
        "classes": cell.classes,
        "num_classes": cell.num_classes,
        "incomplete": cell.incomplete,
    }
