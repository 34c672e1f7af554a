"""The one call behind ``ovrisis-bench prepare``."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import PIL
from filelock import FileLock, Timeout

from ovrisisbench import __version__
from ovrisisbench.atomic import atomic_path
from ovrisisbench.catalog.cards import DatasetCard, Variant, load_card
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.disk_errors import explained_disk_errors
from ovrisisbench.prepare.doctor import (
    Verdict,
    examine_download,
    examine_labels,
    examine_samples,
    refuse_if_partial,
)
from ovrisisbench.prepare.hdf5_file import FORMAT_VERSION, finish, new_file, store_manifest
from ovrisisbench.prepare.layouts import Expected, LayoutReader, Recognised
from ovrisisbench.prepare.manifest import Manifest, rules_digest
from ovrisisbench.prepare.parts import (
    Job,
    copy_part,
    make_jobs,
    part_is_finished,
    read_part,
    remove_leftovers,
    write_part,
)
from ovrisisbench.prepare.prepared import PreparedDataset, read_creation
from ovrisisbench.prepare.readers import prepared_path
from ovrisisbench.prepare.recognition import recognise
from ovrisisbench.prepare.report import PrepareReport, make_report
from ovrisisbench.prepare.sources import close_archives
from ovrisisbench.prepare.workers import default_workers, run_jobs

__all__ = ["Progress", "prepare"]

Progress = Callable[[str, int, int], None]
"""Called with a phase (``convert`` or ``assemble``), scenes done, scenes in all."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one call of :func:`prepare` works on."""

    card: DatasetCard
    variant: Variant
    reader: LayoutReader
    found: Recognised
    expected: Mapping[str, Expected]
    verdict: Verdict
    source: Path
    target: Path
    allow_partial: bool

    @property
    def identity(self) -> str:
        """Digest of the files to be read and the rules to follow; equal ones make an equal prepared file."""
        units = [unit.identity for unit in self.found.units]
        return content_digest([rules_digest(self.card, self.variant), self.reader.layout, FORMAT_VERSION, units])


def prepare(
    dataset: str,
    source: Path,
    target: Path = Path("data"),
    *,
    variant: str | None = None,
    workers: int | None = None,
    allow_partial: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    card: DatasetCard | None = None,
) -> PrepareReport:
    """Turn a download into one verified, fingerprinted HDF5 file.

    The same files give the same manifest whatever the number of workers, and
    whether or not earlier runs were interrupted.

    Args:
        dataset: key of the card, such as ``isaid``.
        source: folder or zip of the download, in any layout that is known.
        target: folder for the prepared file, ``isaid.h5`` for the default variant.
        variant: which reading of the data set; None for the card's default.
        workers: processes that decode; None for one a processor core.
        allow_partial: go on when images are missing; the file and every record made from it say so.
        overwrite: replace a file that was prepared from other files or by other rules, or do the same again.
        progress: told how far it is.
        card: a card other than the installed one, for the same readers.

    Returns:
        What was recognised, counted and expected.

    Raises:
        CatalogError: an unknown data set or variant.
        DataError: the download cannot be used, or is not complete.
        OvrisisBenchError: the disk is full, or the folder cannot be written.
    """
    card = card or load_card(dataset)
    chosen = card.variant(variant)
    try:
        reader, found = recognise(source, card)
        expected = reader.expected(card, chosen, found)
        verdict = examine_download(found, expected, what="windows" if reader.is_cut else "images")
        refuse_if_partial(verdict, card, allow_partial=allow_partial)
        if not found.units:
            raise DataError(f"{source} has no image of {card.title} that has a mask; nothing can be prepared.")
        path = prepared_path(target, card.key, chosen.name)
        task = _Task(card, chosen, reader, found, expected, verdict, source, path, allow_partial)
        with _lock(path):
            if not overwrite and path.exists():
                return _unchanged(task)
            return _prepare(task, workers or default_workers(), progress or _silent)
    finally:
        close_archives()


def _prepare(task: _Task, workers: int, progress: Progress) -> PrepareReport:
    remove_leftovers(task.target, parts=False)
    jobs = make_jobs(task.card, task.variant, task.reader.layout, task.found.units, task.target)
    waiting = [job for job in jobs if not part_is_finished(job)]
    finished = len(jobs) - len(waiting)

    def done(_: Job) -> None:
        nonlocal finished
        finished += 1
        progress("convert", finished, len(jobs))

    progress("convert", finished, len(jobs))
    # The largest first, so that no worker is left alone with one at the end.
    waiting.sort(key=lambda job: -sum(pair.image.size for pair in job.unit.pairs))
    run_jobs(write_part, waiting, workers=workers, done=done)
    manifest, warnings = _manifest(task, jobs)
    _assemble(task, jobs, manifest, progress)
    remove_leftovers(task.target, parts=True)
    return _report(task, manifest, status="prepared", warnings=warnings, parts_reused=len(jobs) - len(waiting))


def _manifest(task: _Task, jobs: list[Job]) -> tuple[Manifest, tuple[str, ...]]:
    contents = [read_part(job) for job in jobs]
    samples = [sample for content in contents for sample in content.samples]
    if not samples:
        raise DataError(
            f"{task.source} gives no image to evaluate: every window of its {len(jobs)} scene(s) has too few labelled "
            "pixels."
        )
    verdict = examine_samples(samples, task.variant, task.verdict)
    refuse_if_partial(verdict, task.card, allow_partial=task.allow_partial)
    conversions: dict[str, list[str]] = {}
    for content in contents:
        for image, words in sorted(content.conversions.items()):
            conversions.setdefault(words, []).append(image)
    converted = [f"{len(images)} image(s) had {words}: {', '.join(images)}." for words, images in conversions.items()]
    manifest = Manifest.build(
        task.card,
        task.variant,
        samples,
        layout=task.reader.layout,
        partial_reasons=verdict.reasons,
        verified=verdict.verified,
        notes=(*task.found.notes, *sorted(converted)),
    )
    return manifest, (*verdict.warnings, *examine_labels(manifest, task.variant))


def _assemble(task: _Task, jobs: list[Job], manifest: Manifest, progress: Progress) -> None:
    with atomic_path(task.target) as temporary, explained_disk_errors(task.target), new_file(temporary) as file:
        for number, job in enumerate(jobs):
            progress("assemble", number, len(jobs))
            copy_part(job, file)
        store_manifest(file, manifest, creation=_creation(task))
        finish(file)
    progress("assemble", len(jobs), len(jobs))


def _creation(task: _Task) -> str:
    return json.dumps(
        {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "source_identity": task.identity,
            "ovrisisbench": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "h5py": h5py.version.version,
            "hdf5": h5py.version.hdf5_version,
        }
    )


def _unchanged(task: _Task) -> PrepareReport:
    again = "pass --overwrite to replace it, or choose another folder with --to"
    try:
        same = read_creation(task.target).get("source_identity") == task.identity
        with PreparedDataset(task.target) as prepared:
            manifest = prepared.manifest
    except DataError as error:
        raise DataError(f"{task.target} exists and cannot be used ({error}) - {again}.") from error
    if not same:
        raise DataError(f"{task.target} exists and was made from other files or by other rules; {again}.")
    refuse_if_partial(Verdict(manifest.partial_reasons), task.card, allow_partial=task.allow_partial)
    remove_leftovers(task.target, parts=True)
    verdict = examine_samples(manifest.samples, task.variant, task.verdict)
    warnings = (*verdict.warnings, *examine_labels(manifest, task.variant))
    return _report(task, manifest, status="unchanged", warnings=warnings, parts_reused=0)


def _report(
    task: _Task, manifest: Manifest, *, status: str, warnings: tuple[str, ...], parts_reused: int
) -> PrepareReport:
    layout_title = next(layout.title for layout in task.card.layouts if layout.name == task.reader.layout)
    return make_report(
        manifest,
        task.found,
        task.expected,
        task.variant,
        status=status,
        source=str(task.source),
        target=str(task.target),
        layout_title=layout_title,
        warnings=warnings,
        size_bytes=task.target.stat().st_size,
        parts_reused=parts_reused,
    )


@contextmanager
def _lock(target: Path) -> Iterator[None]:
    """Keep a second ``prepare`` away from the same target."""
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DataError(f"Another 'prepare' is writing {target}; wait until it has finished.") from error
    except OSError as error:
        raise DataError(
            f"{target.parent} cannot be written ({error.strerror}); choose another folder with --to."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _silent(_phase: str, _done: int, _total: int) -> None:
    pass
