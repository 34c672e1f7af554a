"""Where a row's figures come from, as groups of names and values for the page to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.numbers import percent, percent_text
from ovrisisbench.records import ModelUsed, PublishedTable, Record
from ovrisisbench.report.rows import ShownRow

__all__ = ["Group", "measured_provenance", "published_provenance"]

Group = tuple[str, list[tuple[str, str]]]
"""Heading, and pairs of name and value."""


def measured_provenance(row: ShownRow, titles: Mapping[str, str], links: Mapping[str, str]) -> dict[str, object]:
    """Return what is known of a measured row: its model once, and everything else by data set.

    Args:
        row: with at least one record.
        titles: data set -> title, in column order.
        links: data set -> page with its details.
    """
    keys = [key for key in titles if key in row.records]
    return {
        "title": row.name,
        "groups": [_model_group(row.records[keys[0]].model)],
        "records": [
            {
                "key": key,
                "title": titles[key],
                "link": links.get(key, ""),
                "groups": [_figures(row.records[key]), _data(row.records[key]), _run(row.records[key])],
            }
            for key in keys
        ],
    }


def published_provenance(row: ShownRow, table: PublishedTable) -> dict[str, object]:
    """Return what is known of a published row: its source."""
    means = [(f"printed m-{name}", f"{value:g}") for name, value in row.row.printed_means.items()]
    source = [
        ("source", table.source.title),
        ("citation", table.source.citation),
        ("address", table.source.url),
        ("claims the rules of", table.claims_protocol),
        ("proved by a protocol id", "no: printed figures compete with no measured row"),
        ("trained on", training_set_title(row.block.train_set) if row.block.train_set else "nothing"),
        *means,
        *([("note", table.source.note)] if table.source.note else []),
    ]
    return {"title": row.name, "groups": [("Published figures", source)], "records": []}


def _model_group(model: ModelUsed) -> Group:
    checkpoint = model.checkpoint
    pairs = [
        ("name", model.name),
        ("code", model.adapter),
        ("kind", model.kind),
        ("backbone", model.backbone),
        ("trained on", training_set_title(model.train_set) if model.train_set else "nothing"),
        ("weights", model.weights if checkpoint is None else checkpoint.file),
        *([("sha256 of the weights", checkpoint.sha256)] if checkpoint else []),
        *((f"{name}: {used.file}", used.sha256) for name, used in model.beside.items()),
        *([("seed", str(model.seed))] if model.seed is not None else []),
        ("precision", model.precision),
        *((f"setting {name}", _value(value)) for name, value in model.settings.items()),
    ]
    return ("Model", pairs)


def _figures(record: Record) -> Group:
    metrics = record.metrics
    pairs = [
        ("mIoU", f"{_percent(metrics.miou)} over {metrics.classes_in_miou} of {metrics.num_classes} classes"),
        ("mACC", f"{_percent(metrics.macc)} over {metrics.classes_in_macc} of {metrics.num_classes} classes"),
        ("fwIoU", _percent(metrics.fwiou)),
        ("pixel accuracy", _percent(metrics.pacc)),
        ("convention", metrics.convention),
        ("protocol", f"{record.protocol.name}, id {record.protocol.id}"),
        ("record", f"{record.stem}.record.json"),
        ("digest of the result", record.result_digest()),
    ]
    return ("Figures", pairs)


def _data(record: Record) -> Group:
    data, seen = record.dataset, record.dataset.seen_in_training
    pairs = [
        ("data set", f"{data.key}, variant {data.variant}"),
        ("digest of pixels and labels", data.digest),
        ("images", f"{data.images:,} of {data.images_total:,}"),
        *(("partial", reason) for reason in data.partial_reasons),
        ("class names", ", ".join(record.vocabulary.class_names)),
        ("digest of the class names", record.vocabulary.digest),
    ]
    if seen is not None:
        fate = "left out" if seen.left_out else "tested like all others"
        pairs.append(("seen in training", f"{seen.images:,} of {seen.of:,} images, {fate}"))
    elif record.model.train_set is not None:
        pairs.append(("seen in training", "not known"))
    return ("Data", pairs)


def _run(record: Record) -> Group:
    run = record.run
    pairs = [
        ("command", " ".join(run.command)),
        ("finished", run.date.replace("T", " ").replace("Z", " UTC")),
        ("device", f"{run.device}, {run.processes} process{'' if run.processes == 1 else 'es'}"),
        ("time", f"{run.seconds:,.1f} s" + (f", {run.image_ms.median:,.1f} ms an image" if run.image_ms else "")),
        *([("parameters", f"{run.parameters.total:,}")] if run.parameters else []),
        ("system", f"{run.platform}, Python {run.python}"),
        ("packages", _joined(f"{name} {version}" for name, version in run.packages.items() if version)),
    ]
    return ("Run", pairs)


def _value(value: object) -> str:
    return "without effect" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _percent(value: float | None) -> str:
    return "undefined" if value is None else percent_text(percent(value))


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words)
