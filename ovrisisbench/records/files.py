"""Records on disk: one folder for each protocol id, one ``.record.json`` for each run and data set.

    results/ovrisisbench-v1-125d31fc/rskt-seg_vit-b_dlrsd_loveda_0f2a9c4e.record.json
    results/ovrisisbench-v1-125d31fc/rskt-seg_vit-b_dlrsd_loveda_0f2a9c4e.counts.npz

The eight digits at the end digest what was asked (see ``Record.identity``): a
repeated run replaces its own record, and no other run ever does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ovrisisbench.atomic import write_text
from ovrisisbench.errors import RecordError
from ovrisisbench.records.counts import CountsTable, read_counts, write_counts
from ovrisisbench.records.json_text import json_text
from ovrisisbench.records.names import file_slug
from ovrisisbench.records.parsing import parsed
from ovrisisbench.records.schema import Record

__all__ = [
    "RECORD_SUFFIX",
    "label_maps_folder",
    "read_record",
    "read_record_counts",
    "read_record_files",
    "read_records",
    "record_path",
    "write_record",
]

RECORD_SUFFIX = ".record.json"
"""What files of a results folder are records; anything else in it is left alone."""


def record_path(record: Record, results: Path) -> Path:
    """Return where a record belongs in a results folder."""
    folder = f"{file_slug(record.protocol.name)}-{record.protocol.id}"
    return results / folder / f"{record.stem}{RECORD_SUFFIX}"


def label_maps_folder(record: Record, folder: Path) -> Path:
    """Return where the predicted label maps of a record lie, if they were kept, beside it in ``folder``."""
    return folder / f"{record.stem}.label-maps"


def write_record(record: Record, counts: CountsTable | None, results: Path) -> Path:
    """Write a record and its per-image counts; a killed process leaves old files or new ones.

    Args:
        record: from :meth:`Record.from_counts`.
        counts: the counts it was made from; None only for a record that names no counts file.
        results: the results folder; created.

    Returns:
        Path of the record.

    Raises:
        RecordError: the counts are not those of the record.
        OvrisisBenchError: the folder cannot be written.
    """
    path = record_path(record, results)
    if (record.counts is None) != (counts is None):
        raise RecordError(f"{path}: a record is written together with the counts it names, or without any.")
    if record.counts is not None and counts is not None:
        counts_path = path.with_name(record.counts.file)
        _check_counts(record, counts, counts_path)
        write_counts(counts, counts_path)
    write_text(path, json_text(record.model_dump(mode="json")))
    return path


def read_record(path: Path) -> Record:
    """Read one record and recompute its figures from its confusion matrix.

    Raises:
        RecordError: missing, not a record, from a newer version, or with figures that contradict its counts.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror}).") from error
    return parsed(content, Record, where=str(path))


def read_record_counts(record: Record, folder: Path) -> CountsTable:
    """Read the per-image counts of a record and check that they add up to its confusion matrix.

    Args:
        record: the record.
        folder: where its file lies.

    Raises:
        RecordError: the file is missing or damaged, or belongs to another record.
    """
    if record.counts is None:
        raise RecordError(f"The record {record.stem} in {folder} has no per-image counts; evaluate again to get them.")
    path = folder / record.counts.file
    counts = read_counts(path)
    _check_counts(record, counts, path)
    return counts


def read_records(results: Path) -> list[Record]:
    """Read all records below a results folder, in the order of their paths.

    Copies of one record count once. One bad file fails the whole reading: a table that lacks or
    mixes up rows is worse than none.

    Raises:
        RecordError: no such folder, a file that cannot be used, or two contradicting results of one run.
    """
    return list(read_record_files(results).values())


def read_record_files(results: Path) -> dict[Path, Record]:
    """Read as :func:`read_records` and return the records by path, to find the counts beside them.

    Raises:
        RecordError: as :func:`read_records`.
    """
    if not results.is_dir():
        raise RecordError(f"There is no results folder {results}; name one with --results.")
    found: dict[str, tuple[Path, Record]] = {}
    for path in sorted(results.rglob(f"*{RECORD_SUFFIX}")):
        record = read_record(path)
        first_path, first = found.setdefault(record.stem, (path, record))
        if first.result_digest() != record.result_digest():
            raise RecordError(
                f"{first_path} and {path} are two results of the same run with different figures; "
                "move one of them out of the results folder."
            )
        if record.run.date > first.run.date:
            found[record.stem] = (path, record)
    return dict(found.values())


def _check_counts(record: Record, counts: CountsTable, path: Path) -> None:
    assert record.counts is not None  # noqa: S101 - both callers have asked
    if len(counts) != record.dataset.images:
        raise RecordError(f"{path} counts {len(counts)} images, but its record says {record.dataset.images}.")
    if counts.num_classes != len(record.confusion) or not np.array_equal(counts.confusion(), record.confusion_array):
        raise RecordError(f"{path} does not add up to the confusion matrix of its record; one of them was changed.")
    if counts.digest() != record.counts.digest:
        raise RecordError(f"{path} is not the file of its record: its digest differs; one of them was changed.")
