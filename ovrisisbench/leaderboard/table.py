"""Records -> leaderboard: one section for each protocol id, and one for each published source.

Only rows of one block are ranked against each other: one protocol id, one
training set, one size of backbone. Published figures never meet measured ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ovrisisbench.catalog import load_protocol, protocol_names
from ovrisisbench.errors import RecordError, did_you_mean
from ovrisisbench.leaderboard.blocks import blocks_of, dataset_title, sorted_rows, with_means
from ovrisisbench.leaderboard.measured import MeasuredRow, data_key, measured_rows
from ovrisisbench.leaderboard.model import MEAN, Leaderboard, Section, columns_of
from ovrisisbench.leaderboard.notes import measured_notes, printed_notes
from ovrisisbench.leaderboard.printed import printed_row
from ovrisisbench.records import PublishedTable, Record

__all__ = ["leaderboard_table"]


def leaderboard_table(
    records: Iterable[Record], published: Iterable[PublishedTable] = (), *, protocol: str | None = None
) -> Leaderboard:
    """Make the leaderboard.

    Args:
        records: measured records, such as from :func:`ovrisisbench.records.read_records`.
        published: published tables, such as from :func:`ovrisisbench.records.read_published`; one that shares no data
            set with any record is left out, unless there are no records.
        protocol: keep one protocol only, by name or by id.

    Raises:
        CatalogError: ``protocol`` asks for a variant that does not exist.
        RecordError: ``protocol`` is neither installed nor in any record, or two records of one protocol id
            list different data sets.
    """
    records, published = list(records), list(published)
    if protocol is not None:
        records, published = _of_protocol(records, published, protocol)
    measured_on = {key for record in records for key in record.protocol.datasets}
    if measured_on:
        published = [table for table in published if measured_on & set(table.datasets)]
    by_id: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        by_id[record.protocol.name, record.protocol.id].append(record)
    measured = [_measured_section(by_id[key]) for key in sorted(by_id)]
    return Leaderboard(sections=(*measured, *map(_published_section, published)))


def _of_protocol(
    records: Sequence[Record], published: Sequence[PublishedTable], wanted: str
) -> tuple[list[Record], list[PublishedTable]]:
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


def _measured_section(records: Sequence[Record]) -> Section:
    protocol = records[0].protocol
    for record in records:
        if record.protocol.datasets != protocol.datasets:
            raise RecordError(
                f"The records {records[0].stem} and {record.stem} have the same protocol id {protocol.id} but list "
                "different data sets: one of them was edited by hand; restore it, or evaluate again."
            )
    titles = {key: dataset_title(key) for key in protocol.datasets}
    found, left_out = measured_rows(records)
    found = [MeasuredRow(with_means(one.row, protocol.datasets), one.model, one.records) for one in found]
    mixed = _mixed(found, protocol.datasets)
    by_row = {id(one.row): one for one in found}
    ordered = [by_row[id(row)] for row in sorted_rows(one.row for one in found)]
    return Section(
        source="measured",
        name=f"{protocol.name}-{protocol.id}",
        title=f"Measured under {protocol.name} (id {protocol.id})",
        protocol=protocol.name,
        protocol_id=protocol.id,
        convention=", ".join(sorted({record.metrics.convention for record in records})),
        datasets=titles,
        mixed=mixed,
        blocks=blocks_of(
            [(one.model.train_set, one.row) for one in ordered],
            columns_of(protocol.datasets),
            {*mixed, MEAN} if mixed else (),
        ),
        notes=measured_notes(ordered, titles, mixed, left_out),
    )


def _published_section(table: PublishedTable) -> Section:
    rows = [with_means(printed_row(published), table.datasets) for published in table.rows]
    pairs = [(published.train_set, row) for published, row in zip(table.rows, rows, strict=True)]
    return Section(
        source="published",
        name=table.name,
        title=f"Published: {table.source.title}",
        protocol=table.claims_protocol,
        protocol_id=None,
        convention=None,
        datasets={key: dataset_title(key) for key in table.datasets},
        blocks=blocks_of(pairs, columns_of(table.datasets), ()),
        notes=printed_notes(table, rows),
    )


def _mixed(rows: Sequence[MeasuredRow], datasets: Sequence[str]) -> frozenset[str]:
    """Return the data sets that complete records were measured on in more than one preparation.

    Models of one training set must also have been spared the same images.
    """
    found: dict[str, set[tuple[str, str, str, str]]] = {key: set() for key in datasets}
    left_out: dict[tuple[str, str | None], set[str | None]] = defaultdict(set)
    for row in rows:
        for key, record in row.records.items():
            if record.is_complete:
                found[key].add(data_key(record))
                left_out[key, record.model.train_set].add(record.dataset.left_out)
    several = {key for key, preparations in found.items() if len(preparations) > 1}
    return frozenset(several | {key for (key, _), digests in left_out.items() if len(digests) > 1})
