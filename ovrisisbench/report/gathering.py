"""What a report is made from: records with their counts, published figures, prepared data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.errors import DataError
from ovrisisbench.records import RECORD_SUFFIX, PublishedTable, Record, read_published, read_record_counts, read_records
from ovrisisbench.records.speed import PublishedSpeed, SpeedRecord, read_published_speed, read_speed_records

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import CountsTable

__all__ = ["Gathered", "gather"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Everything that was found."""

    records: tuple[Record, ...]
    folders: Mapping[str, Path]
    """Stem of a record -> the folder that it and what was kept with it lie in."""
    published: tuple[PublishedTable, ...]
    speed: tuple[SpeedRecord, ...]
    published_speed: tuple[PublishedSpeed, ...]
    data: Path
    """Folder of prepared data sets, which may be missing."""

    def counts(self, record: Record) -> CountsTable | None:
        """Read the per-image counts of a record; None where their file was not kept.

        Raises:
            RecordError: the file is damaged or belongs to another record.
        """
        folder = self.folders[record.stem]
        if record.counts is None or not (folder / record.counts.file).exists():
            return None
        return read_record_counts(record, folder)

    def prepared(self, key: str, variant: str, digest: str | None = None) -> PreparedDataset | None:
        """Open a prepared data set; None where it is not there, or is not what was measured on.

        Args:
            key: of the data set.
            variant: as records name it.
            digest: that its pixels and labels must have; None for any.
        """
        from ovrisisbench.prepare import PreparedDataset, prepared_path

        path = prepared_path(self.data, key, variant)
        if not path.exists():
            return None
        try:
            dataset = PreparedDataset(path)
        except DataError:
            return None  # a report of figures needs no pictures; 'verify' says what is wrong with the file
        fits = dataset.manifest.dataset == key and digest in (None, dataset.manifest.digest)
        return dataset if fits else None


def gather(results: Path, data: Path, *, published: bool = True, must_exist: bool = True) -> Gathered:
    """Read everything below a results folder.

    Args:
        results: folder of records.
        data: folder of prepared data sets; may be missing.
        published: whether published tables are shown as well.
        must_exist: False if a missing results folder means that nothing was measured.

    Raises:
        RecordError: no such folder, or a file in it that cannot be used.
    """
    there = must_exist or results.is_dir()
    records = read_records(results) if there else []
    paths = {path.name.removesuffix(RECORD_SUFFIX): path.parent for path in sorted(results.rglob(f"*{RECORD_SUFFIX}"))}
    return Gathered(
        records=tuple(records),
        folders={record.stem: paths.get(record.stem, results) for record in records},
        published=read_published() if published else (),
        speed=tuple(read_speed_records(results)) if there else (),
        published_speed=read_published_speed() if published else (),
        data=data,
    )
