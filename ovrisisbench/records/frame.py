"""Records as a pandas table, for notebooks and for tables of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ovrisisbench.records.schema import Record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "to_frame"]

COLUMNS = (
    "model",
    "backbone",
    "train_set",
    "weights",
    "precision",
    "protocol",
    "protocol_id",
    "dataset",
    "variant",
    "data_digest",
    "images",
    "images_seen_in_training",
    "complete",
    "convention",
    "miou",
    "macc",
    "fwiou",
    "pacc",
    "classes_in_miou",
    "num_classes",
    "device",
    "date",
)


def to_frame(records: Iterable[Record]) -> pd.DataFrame:
    """Return one row a record, columns :data:`COLUMNS`; figures are fractions, NaN where undefined.

    ``images_seen_in_training`` counts images of the whole data set; a protocol that leaves them out does not test them.

    Example:
        >>> to_frame([]).columns[:3].tolist()
        ['model', 'backbone', 'train_set']
    """
    import pandas as pd

    return pd.DataFrame([_row(record) for record in records], columns=list(COLUMNS))


def _row(record: Record) -> dict[str, object]:
    model, metrics, seen = record.model, record.metrics, record.dataset.seen_in_training
    return {
        "model": model.name,
        "backbone": model.backbone,
        "train_set": model.train_set,
        "weights": model.weights,
        "precision": model.precision,
        "protocol": record.protocol.name,
        "protocol_id": record.protocol.id,
        "dataset": record.dataset.key,
        "variant": record.dataset.variant,
        "data_digest": record.dataset.digest,
        "images": record.dataset.images,
        "images_seen_in_training": None if seen is None else seen.images,
        "complete": record.is_complete,
        "convention": metrics.convention,
        "miou": metrics.miou,
        "macc": metrics.macc,
        "fwiou": metrics.fwiou,
        "pacc": metrics.pacc,
        "classes_in_miou": metrics.classes_in_miou,
        "num_classes": metrics.num_classes,
        "device": record.run.device,
        "date": record.run.date,
    }
