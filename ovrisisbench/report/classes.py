"""Figures by class on one data set: a heat map of models and classes, and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ovrisisbench.catalog import class_overlap, load_protocol
from ovrisisbench.errors import CatalogError
from ovrisisbench.leaderboard.numbers import percent, percent_text
from ovrisisbench.records import Record
from ovrisisbench.report.rows import ShownRow

__all__ = ["class_rows", "confusions", "same_vocabulary"]


def same_vocabulary(rows: Sequence[ShownRow], key: str) -> list[ShownRow]:
    """Keep the rows that were prompted with the same class names as the first one."""
    names = [row.records[key].vocabulary.class_names for row in rows]
    return [row for row, own in zip(rows, names, strict=True) if own == names[0]]


def class_rows(rows: Sequence[ShownRow], key: str) -> list[dict[str, Any]]:
    """Return IoU and ACC of every class for each row.

    A class is marked unseen where the model's training set has no class of its name, its singular or plural, or
    another name for it, by the table of class overlap.
    """
    content = []
    for row in rows:
        record = row.records[key]
        unseen = _unseen(record)
        cells = [
            {"iou": _cell(iou), "acc": _cell(acc), "unseen": index in unseen}
            for index, (iou, acc) in enumerate(zip(record.metrics.iou, record.metrics.acc, strict=True))
        ]
        content.append(
            {
                "id": row.id,
                "name": row.name,
                "train_title": row.train_title,
                "miou": _cell(record.metrics.miou),
                "macc": _cell(record.metrics.macc),
                "cells": cells,
            }
        )
    return content


def confusions(rows: Sequence[ShownRow], names: Sequence[str], key: str) -> list[dict[str, Any]]:
    """Return the confusion matrix of each row under its name, rows truth, for the page's script."""
    return [{"name": name, "matrix": row.records[key].confusion} for name, row in zip(names, rows, strict=True)]


def _unseen(record: Record) -> frozenset[int]:
    train_set = record.model.train_set
    if train_set is None:
        return frozenset()
    try:
        protocol = load_protocol(record.protocol.name)
        compared = class_overlap(protocol.vocabulary(train_set), protocol.vocabulary(record.dataset.key))
    except CatalogError:
        return frozenset()  # a protocol or training set of the user's own
    if len(compared.classes) != len(record.vocabulary.class_names):
        return frozenset()
    return frozenset(index for index, match in enumerate(compared.classes) if match.level == "unseen")


def _cell(fraction: float | None) -> dict[str, str]:
    if fraction is None:
        return {"text": "–", "share": "", "sort": ""}
    value = percent(fraction)
    return {"text": percent_text(value, 1), "share": f"{fraction:.3f}", "sort": percent_text(value, 4)}
