"""One record as a table, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ovrisisbench.records.schema import Record

__all__ = ["percent", "print_record"]


def print_record(record: Record, console: Console) -> None:
    """Print what was measured, its figures, and those of each class, in percent."""
    model, data, metrics, run = record.model, record.dataset, record.metrics, record.run
    facts = Table(show_header=False)
    facts.add_column()
    facts.add_column()
    part = "" if record.is_complete else ", not the whole data set"
    for name, value in (
        ("model", f"{model.title} ({model.name}), {model.backbone}, {model.precision}"),
        ("trained on", model.train_set or "nothing"),
        ("weights", model.weights if model.checkpoint is None else model.checkpoint.file),
        ("data set", f"{data.key}, variant {data.variant}, {data.images:,} of {data.images_total:,} images{part}"),
        ("protocol", f"{record.protocol.name} {record.protocol.id}, metric convention {metrics.convention}"),
        ("mIoU", f"{percent(metrics.miou)} over {metrics.classes_in_miou} of {metrics.num_classes} classes"),
        ("mACC", percent(metrics.macc)),
        ("fwIoU", percent(metrics.fwiou)),
        ("measured", f"{run.date} on {run.device}"),
    ):
        facts.add_row(Text(name, style="bold"), Text(value))
    console.print(facts)
    table = Table()
    for head in ("class", "IoU", "ACC"):
        table.add_column(head, justify="left" if head == "class" else "right")
    for name, iou, acc in zip(record.vocabulary.class_names, metrics.iou, metrics.acc, strict=True):
        table.add_row(Text(name), percent(iou), percent(acc))
    console.print(table)


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage with two decimals."""
    return "n/a" if fraction is None else f"{100 * fraction:.2f}"
