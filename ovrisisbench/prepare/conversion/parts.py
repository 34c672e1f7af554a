"""Finished units as small files beside the target, so that an interrupted preparation goes on where it stopped."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py
from pydantic import ValidationError

from ovrisisbench.atomic import atomic_path
from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.catalog.identity import short_id
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.conversion.convert import UnitContent, convert_unit
from ovrisisbench.prepare.layouts.interface import Unit
from ovrisisbench.prepare.layouts.readers import load_reader
from ovrisisbench.prepare.storage.disk_errors import explained_disk_errors
from ovrisisbench.prepare.storage.hdf5_file import (
    FORMAT_VERSION,
    IMAGES,
    LABELS,
    finish,
    new_file,
    open_file,
    read_bytes,
    write_bytes,
)
from ovrisisbench.prepare.storage.manifest import rules_digest

__all__ = [
    "Job",
    "check_unit",
    "copy_part",
    "make_jobs",
    "part_is_finished",
    "read_part",
    "remove_leftovers",
    "write_part",
]

_KIND: Final = "ovrisisbench-part"
_CONTENT: Final = "content"


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a worker process needs to write one part."""

    card: DatasetCard
    variant: Variant
    layout: str
    unit: Unit
    path: Path
    """The part file."""


def make_jobs(card: DatasetCard, variant: Variant, layout: str, units: tuple[Unit, ...], target: Path) -> list[Job]:
    """Return one job for each unit, in order.

    Args:
        card: the data set.
        variant: which label map and windows to follow.
        layout: name of the layout that the units were found in.
        units: all scenes.
        target: the prepared file; parts lie in a hidden folder beside it whose name changes with the rules.
    """
    identity = short_id([rules_digest(card, variant), layout, FORMAT_VERSION])
    folder = target.with_name(f".{target.name}.parts-{identity}")
    return [Job(card, variant, layout, unit, folder / f"{unit.name}.h5") for unit in units]


def write_part(job: Job) -> None:
    """Convert one unit and write its part, atomically.

    Raises:
        DataError: something is wrong with a file of the unit, or the disk is full.
    """
    reader = load_reader(job.card.key, job.layout)
    with atomic_path(job.path) as temporary, explained_disk_errors(job.path), new_file(temporary, kind=_KIND) as file:
        content = convert_unit(reader, job.card, job.variant, job.unit, file)
        write_bytes(file, _CONTENT, content.model_dump_json().encode())
        file.attrs["identity"] = job.unit.identity
        finish(file)


def check_unit(job: Job) -> UnitContent:
    """Convert one unit and store nothing.

    Raises:
        DataError: something is wrong with a file of the unit.
    """
    return convert_unit(load_reader(job.card.key, job.layout), job.card, job.variant, job.unit, None)


def part_is_finished(job: Job) -> bool:
    """Tell whether an earlier run wrote this part from the very same files."""
    if not job.path.exists():
        return False
    try:
        with open_file(job.path, kind=_KIND) as file:
            return bool(file.attrs["identity"] == job.unit.identity)
    except (DataError, KeyError):
        return False


def read_part(job: Job) -> UnitContent:
    """Return what a part holds beside its pixels.

    Raises:
        DataError: the part is damaged.
    """
    try:
        with open_file(job.path, kind=_KIND) as file:
            return UnitContent.model_validate_json(read_bytes(file, _CONTENT))
    except (ValidationError, KeyError) as error:
        raise DataError(f"{job.path} is damaged; remove its folder and start again.") from error


def copy_part(job: Job, file: h5py.File) -> None:
    """Copy the arrays of one part into the prepared file."""
    with open_file(job.path, kind=_KIND) as part:
        for group in (IMAGES, LABELS):
            for name in part[group]:
                part.copy(part[group][name], file[group], name=name)


def remove_leftovers(target: Path, *, parts: bool) -> None:
    """Remove what killed runs left beside ``target``; the caller holds the lock.

    Args:
        target: the prepared file.
        parts: also remove the folders of parts, those of other rules included.
    """
    for path in target.parent.glob(f".{target.name}.tmp-*"):
        path.unlink(missing_ok=True)
    if parts:
        for folder in target.parent.glob(f".{target.name}.parts-*"):
            shutil.rmtree(folder, ignore_errors=True)
