"""Recognising at a glance that a prepared file was made from the very same files, so that nothing has to be done."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ovrisisbench import __version__
from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.sources import READ_ENDINGS, Source
from ovrisisbench.prepare.layouts.readers import prepared_path
from ovrisisbench.prepare.report import PrepareReport
from ovrisisbench.prepare.storage.hdf5_file import FORMAT_VERSION
from ovrisisbench.prepare.storage.manifest import rules_digest
from ovrisisbench.prepare.storage.prepared import read_creation

__all__ = ["recall", "remembered"]

_MOST_CHARACTERS: Final = 2**15
"""An HDF5 attribute ends at 64 KiB; a longer report is not kept, and found out again."""


def remembered(source: Source, card: DatasetCard, variant: Variant, report: PrepareReport) -> dict[str, str]:
    """Return what a prepared file keeps for :func:`recall`."""
    text = report.model_dump_json()
    return {"listing": _listing(source, card, variant), "report": text} if len(text) < _MOST_CHARACTERS else {}


def recall(source: Source, card: DatasetCard, variant: Variant, target: Path) -> PrepareReport | None:
    """Return the report of an earlier call if its file is there and everything that it depended on is as it was.

    Names, sizes and dates (or CRCs) of all files that can matter, the whole
    card and this package's version are compared; pixels are not read.

    Args:
        source: the files.
        card: the data set.
        variant: that is wanted.
        target: folder with the prepared file.
    """
    path = prepared_path(target, card.key, variant.name)
    try:
        creation = read_creation(path)
    except DataError:
        return None
    if creation.get("listing") != _listing(source, card, variant):
        return None
    try:
        report = PrepareReport.model_validate_json(creation["report"])
    except (ValidationError, KeyError):
        return None
    changes = {
        "status": "unchanged",
        "source": str(source.root),
        "target": str(path),
        "size_bytes": path.stat().st_size,
        "parts_reused": 0,
    }
    return report.model_copy(update=changes)


def _listing(source: Source, card: DatasetCard, variant: Variant) -> str:
    return content_digest(
        [
            __version__,
            FORMAT_VERSION,
            card.model_dump(mode="json"),
            rules_digest(card, variant),
            variant.name,
            source.root.resolve().name,
            # Pictures and lists of class names: prepared files and results may lie under the same folder.
            [entry.identity for entry in source.entries if entry.path.lower().endswith(READ_ENDINGS)],
        ]
    )
