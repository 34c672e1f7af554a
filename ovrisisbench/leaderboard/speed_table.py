"""Records of speed -> one table: measured rows of one task and device together, published ones apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ovrisisbench.records.speed import PublishedSpeed, SpeedRecord

__all__ = ["COLUMNS", "SpeedRow", "SpeedSection", "speed_table"]

COLUMNS = (
    "mean ms",
    "median ms",
    "p95 ms",
    "images/s",
    "params M",
    "trainable M",
    "frozen M",
    "GFLOPs",
    "peak MiB",
)
"""Figures of a row, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRow:
    """One model on one device."""

    title: str
    backbone: str
    qualifier: str = ""
    """What a reader must know of its settings."""
    figures: tuple[float | None, ...] = ()
    """As in :data:`COLUMNS`; None where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSection:
    """Rows that compare: one task on one device, or one source."""

    title: str
    source: str
    """``measured`` or ``published``."""
    rows: tuple[SpeedRow, ...]
    notes: tuple[str, ...] = ()


def speed_table(records: Iterable[SpeedRecord], published: Iterable[PublishedSpeed] = ()) -> list[SpeedSection]:
    """Make the table: fastest first in each section.

    Args:
        records: measured ones.
        published: printed tables; their sections come last and say whose machine it was.
    """
    groups: dict[tuple[str, ...], list[SpeedRecord]] = defaultdict(list)
    for record in records:
        groups[_conditions(record)].append(record)
    return [*(_measured(groups[key]) for key in sorted(groups)), *map(_printed, published)]


def _conditions(record: SpeedRecord) -> tuple[str, ...]:
    task = record.task
    return (
        record.device,
        "" if record.threads is None else f"{record.threads} thread{'s' if record.threads > 1 else ''}",
        record.model.precision,
        f"{task.height}x{task.width}",
        f"{task.classes} classes",
    )


def _measured(records: Sequence[SpeedRecord]) -> SpeedSection:
    ordered = sorted(records, key=lambda record: record.image_ms.mean)
    return SpeedSection(
        title=f"Measured on {', '.join(word for word in _conditions(records[0]) if word)}",
        source="measured",
        rows=tuple(map(_row, ordered)),
        notes=tuple(_notes(ordered)),
    )


def _row(record: SpeedRecord) -> SpeedRow:
    parameters, times = record.parameters, record.image_ms
    millions: tuple[float | None, ...] = (None, None, None)
    if parameters is not None:
        frozen = parameters.total - parameters.trainable
        millions = (parameters.total / 1e6, parameters.trainable / 1e6, frozen / 1e6)
    sliding = record.model.settings.get("sliding_window")
    return SpeedRow(
        title=record.model.title,
        backbone=record.model.backbone,
        qualifier="" if sliding is None else "windows and whole image" if sliding else "whole image",
        figures=(
            times.mean,
            times.median,
            times.p95,
            record.frames_per_second,
            *millions,
            record.flops.counted / 1e9,
            record.peak_memory_mib,
        ),
    )


def _notes(records: Sequence[SpeedRecord]) -> list[str]:
    tasks = sorted({(record.task.images, record.task.warm_up) for record in records})
    counted = " or ".join(f"{images} images after {warm_up} to warm up" for images, warm_up in tasks)
    notes = [
        f"Wall time of one image from its pixels in memory to its label map, one at a time, {counted}; the device is "
        "waited for before and after. Text is encoded before: "
        + ", ".join(f"{record.model.title} {record.text_ms:,.0f} ms" for record in records)
        + ".",
        "Parameters as the official recipe trains or freezes them; tensors that no output depends on are not counted.",
        "Two floating-point operations for a multiplication and its addition, by torch's counter, which does not count "
        + (", ".join(sorted({name for record in records for name in record.flops.uncounted})) or "nothing less")
        + ".",
        "Peak memory: " + "; ".join(sorted({record.peak_memory_kind for record in records})) + ".",
    ]
    if any(record.model.weights == "untrained" for record in records):
        notes.append("Weights are random; only models that decide by their scores what to compute feel that.")
    return notes


def _printed(table: PublishedSpeed) -> SpeedSection:
    rows = sorted(table.rows, key=lambda row: row.mean_ms)
    blanks = (None,) * (len(COLUMNS) - 4)
    return SpeedSection(
        title=f"Published: {table.source.title}, another machine ({table.hardware})",
        source="published",
        rows=tuple(
            SpeedRow(title=row.title, backbone="not stated", figures=(row.mean_ms, None, None, row.fps, *blanks))
            for row in rows
        ),
        notes=tuple(filter(None, (_warning(table), table.source.note))),
    )


def _warning(table: PublishedSpeed) -> str:
    return (
        f"As printed in {table.source.citation} Not stated there: {', '.join(table.unstated)}. "
        "These rows do not compare with measured ones."
    )
