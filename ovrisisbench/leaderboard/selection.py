"""Which records and published rows a table shows: by protocol, training set, backbone; and by which convention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ovrisisbench.catalog import load_protocol, protocol_names
from ovrisisbench.catalog.protocols import Convention
from ovrisisbench.errors import RecordError, did_you_mean
from ovrisisbench.leaderboard.families import backbone_family
from ovrisisbench.records import PublishedRow, PublishedTable, Record, metrics_of

__all__ = ["NO_TRAIN_SET", "of_backbone", "of_protocol", "of_train_set", "under_convention"]

NO_TRAIN_SET: Final = "none"
"""What one asks for to see the models that were not trained."""


def of_protocol(
    records: Sequence[Record], published: Sequence[PublishedTable], wanted: str
) -> tuple[list[Record], list[PublishedTable]]:
    """Keep one protocol, by name or by id.

    Raises:
        CatalogError: ``wanted`` asks for a variant that does not exist.
        RecordError: it is neither installed nor in any record.
    """
    ids = {name: load_protocol(name).id for name in protocol_names()}
    if "+" in wanted and wanted not in {record.protocol.name for record in records}:
        wanted = load_protocol(wanted).name  # other variants, in any order
        ids.setdefault(wanted, load_protocol(wanted).id)
    names = {name for name, id_ in ids.items() if wanted in (name, id_)}
    kept = [record for record in records if wanted in (record.protocol.name, record.protocol.id)]
    names |= {record.protocol.name for record in kept} | {table.claims_protocol for table in published} & {wanted}
    if not names:
        known = sorted({*ids, *(record.protocol.name for record in records)})
        raise RecordError(
            f"There is no protocol '{wanted}', neither installed nor in a record; known are {', '.join(known)}."
            f"{did_you_mean(wanted, known)}"
        )
    return kept, [table for table in published if table.claims_protocol in names]


def of_train_set(
    records: Sequence[Record], published: Sequence[PublishedTable], wanted: str
) -> tuple[list[Record], list[PublishedTable]]:
    """Keep what was trained on one set, and the floors; :data:`NO_TRAIN_SET` keeps what was not trained.

    Raises:
        RecordError: nothing was trained on it.
    """
    key = None if wanted == NO_TRAIN_SET else wanted
    known = {record.model.train_set for record in records if record.model.kind != "floor"}
    known |= {row.train_set for table in published for row in table.rows}
    if key not in known:
        raise _nothing("training set", wanted, sorted(one or NO_TRAIN_SET for one in known))
    return _kept(records, published, lambda record: record.model.train_set == key, lambda row: row.train_set == key)


def of_backbone(
    records: Sequence[Record], published: Sequence[PublishedTable], wanted: str
) -> tuple[list[Record], list[PublishedTable]]:
    """Keep one backbone by its name in any case, or a size by its letter, and the floors.

    Raises:
        RecordError: nothing has it.
    """

    def fits(backbone: str) -> bool:
        return backbone.casefold() == wanted.casefold() or backbone_family(backbone) == wanted.upper()

    known = {record.model.backbone for record in records if record.model.kind != "floor"}
    known |= {row.backbone for table in published for row in table.rows}
    if not any(map(fits, known)):
        raise _nothing("backbone", wanted, sorted({one.lower() for one in known}))
    return _kept(records, published, lambda record: fits(record.model.backbone), lambda row: fits(row.backbone))


def under_convention(records: Iterable[Record], convention: Convention) -> list[Record]:
    """Compute all figures anew from the confusion matrices, by another convention; counts stay what they are."""
    return [
        record.model_copy(update={"metrics": metrics_of(record.confusion_array, convention)})
        if record.metrics.convention != convention
        else record
        for record in records
    ]


def _kept(
    records: Sequence[Record],
    published: Sequence[PublishedTable],
    keeps: Callable[[Record], bool],
    keeps_row: Callable[[PublishedRow], bool],
) -> tuple[list[Record], list[PublishedTable]]:
    tables = [
        table.model_copy(update={"rows": rows}) for table in published if (rows := tuple(filter(keeps_row, table.rows)))
    ]
    kept = [record for record in records if record.model.kind == "floor" or keeps(record)]
    # Floors alone are no answer to the question that was asked.
    return kept if any(record.model.kind != "floor" for record in kept) else [], tables


def _nothing(what: str, wanted: str, known: Sequence[str]) -> RecordError:
    listed = f"there are {', '.join(known)}" if known else "there are none"
    return RecordError(f"No row has the {what} '{wanted}'; {listed}.{did_you_mean(wanted, known)}")
