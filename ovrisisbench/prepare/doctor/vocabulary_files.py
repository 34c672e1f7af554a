"""Lists of class names in a download, one of which may have overwritten another."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from ovrisisbench.catalog.cards import DatasetCard
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.doctor.findings import Finding, listed
from ovrisisbench.prepare.download.sources import Entry, Source

__all__ = ["examine_vocabulary_files"]

_MOST_BYTES: Final = 2**20
"""Largest file that is read; a list of class names has a few hundred bytes."""
_SHOWN: Final = 8


def examine_vocabulary_files(source: Source, card: DatasetCard, class_names: Sequence[str]) -> list[Finding]:
    """Compare the lists of class names in a download with the vocabulary.

    The published code reads its prompts from such a file. Where another list
    has the same name but for capitals, one replaces the other on a disk that
    ignores case.

    Args:
        source: all files.
        card: its ``checkup`` names the list that the published code reads.
        class_names: of the benchmark, in order.

    Returns:
        One warning for each list that differs. Files that are no lists of names are passed over.
    """
    wanted = card.checkup.vocabulary_file
    if wanted is None:
        return []
    name = PurePosixPath(wanted).stem
    findings = []
    for entry in source.entries:
        if entry.stem.lower() != name.lower() or not entry.name.lower().endswith(".json"):
            continue
        names = _read(entry)
        if names is None or names == list(class_names):
            continue
        if entry.stem == name:
            cause = "another list of nearly this name has replaced it, as happens on a disk that ignores case"
            remedy = "restore it before running the published code; nothing is read from it here"
        else:
            cause = f"it is not {wanted} and would replace it on a disk that ignores case"
            remedy = "keep the two apart; nothing is read from either here"
        findings.append(
            Finding(
                severity="warning",
                subject=f"list of class names {entry.path}",
                expected=f"the {len(class_names)} names of {wanted} ({_words(class_names)})",
                found=f"{len(names)} names ({_words(names)})",
                cause=cause,
                remedy=remedy,
            )
        )
    return findings


def _read(entry: Entry) -> list[str] | None:
    """Return the names in a file, None for whatever else it may be."""
    if entry.size > _MOST_BYTES:
        return None
    try:
        with entry.open() as stream:
            content = json.loads(stream.read(_MOST_BYTES + 1))
    except (DataError, OSError, ValueError, RecursionError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
        return None
    return content or None


def _words(names: Sequence[str]) -> str:
    return listed([name[:40] for name in names], _SHOWN)
