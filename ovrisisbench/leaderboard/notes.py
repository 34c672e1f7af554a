"""What must stand below a table so that nobody misreads a figure in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.measured import MeasuredRow, data_key
from ovrisisbench.leaderboard.model import MEAN, METRIC_NAMES, METRICS, Metric, Row
from ovrisisbench.leaderboard.numbers import percent_text
from ovrisisbench.records import PublishedTable

__all__ = ["measured_notes", "printed_notes"]

_HALF_A_DIGIT = 0.005 + 1e-9  # a printed mean of two decimals may be this far from the exact one


def measured_notes(
    rows: Sequence[MeasuredRow], titles: Mapping[str, str], mixed: frozenset[str], left_out: int
) -> tuple[str, ...]:
    """Explain marks, missing ranks and left-out records of one protocol id."""
    notes = [*_incomplete_notes(rows, titles), *_class_notes(rows, titles)]
    for key in (key for key in titles if key in mixed):
        complete = [row.records[key] for row in rows if key in row.records and row.records[key].is_complete]
        digests = sorted({data_key(record)[1][:8] for record in complete})
        if len({data_key(record) for record in complete}) == 1:
            notes.append(
                f"‡ {titles[key]}: rows of one training set were not measured on the same images, because not the same "
                "ones were left out as seen in training; neither this column nor the means are ranked."
            )
            continue
        notes.append(
            f"‡ {titles[key]}: not all rows were measured on the same pixels, labels and class names (prepared data "
            f"{', '.join(digests)}); neither this column nor the means are ranked."
        )
    if any(row.model.weights == "untrained" for row in rows):
        notes.append("Untrained weights show that a model runs, not how good it is; they are not ranked.")
    if any(row.model.kind == "predictions" for row in rows):
        notes.append(
            "Scored predictions were made elsewhere and counted here as all others; what is said of their model and "
            "its training was not checked."
        )
    if left_out:
        notes.append(f"{left_out} record(s) on a part of the images are not shown, since there are better ones.")
    return tuple(notes)


def printed_notes(table: PublishedTable, rows: Sequence[Row]) -> tuple[str, ...]:
    """Name the source, what it only claims, and means that differ from its own columns."""
    notes = [
        f"Published figures, not reproducible here: {table.source.citation}",
        f"They claim the rules of {table.claims_protocol} without a protocol id: no measured row competes with them.",
    ]
    if table.source.note:
        notes.append(table.source.note)
    odd = [
        f"m-{METRIC_NAMES[metric]} {percent_text(row.printed_means[metric])} for {_described(row, printed.train_set)}"
        for row, printed in zip(rows, table.rows, strict=True)
        for metric in METRICS
        if _differs(row, metric)
    ]
    if odd:
        notes.append(f"Means are computed from the columns; the source prints {' and '.join(odd)}.")
    return tuple(notes)


def _described(row: Row, train_set: str | None) -> str:
    trained = f" trained on {training_set_title(train_set)}" if train_set else ""
    return f"{row.title} {row.backbone}{trained}"


def _differs(row: Row, metric: Metric) -> bool:
    computed = row.value((MEAN, metric))
    printed = row.printed_means.get(metric)
    return computed is not None and printed is not None and abs(computed - printed) > _HALF_A_DIGIT


def _incomplete_notes(rows: Sequence[MeasuredRow], titles: Mapping[str, str]) -> list[str]:
    parts = []
    for row in rows:
        found = [(titles[key], row.records[key].dataset) for key in titles if key in row.records]
        words = [
            f"{title} {data.images} of {data.images_total} images" + (", partial data" if data.partial else "")
            for title, data in found
            if data.limited or data.partial
        ]
        if words:
            parts.append(f"{row.row.label} {row.row.backbone}: {', '.join(words)}")
    return [f"† Not the whole data set, so not ranked. {'; '.join(parts)}."] if parts else []


def _class_notes(rows: Sequence[MeasuredRow], titles: Mapping[str, str]) -> list[str]:
    found = []
    for key, title in titles.items():
        for metric in METRICS:
            counts = {
                (cell.classes, cell.num_classes)
                for row in rows
                for cell in [row.row.cells.get((key, metric))]
                if cell is not None and cell.lacks_classes
            }
            found += [
                f"{title} {METRIC_NAMES[metric]} {classes} of {total}" for classes, total in sorted(counts, key=str)
            ]
    return [f"* The mean runs over fewer classes than the vocabulary has: {', '.join(found)}."] if found else []
