"""The one call behind ``ovrisis-bench prepare``."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from ovrisisbench.catalog.cards import DatasetCard, Layout, Variant, load_card
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.conversion.convert import UnitContent
from ovrisisbench.prepare.conversion.parts import (
    Job,
    check_unit,
    copy_part,
    make_jobs,
    part_is_finished,
    read_part,
    remove_leftovers,
    write_part,
)
from ovrisisbench.prepare.doctor.contents import Contents, examine_contents
from ovrisisbench.prepare.doctor.mask_survey import explain_masks
from ovrisisbench.prepare.doctor.verdict import Verdict, examine_download, examine_samples, refuse_parts
from ovrisisbench.prepare.doctor.vocabulary_files import examine_vocabulary_files
from ovrisisbench.prepare.download.archives import close_archives
from ovrisisbench.prepare.download.sources import Source, scan
from ovrisisbench.prepare.layouts.interface import Expected, LayoutReader, Recognised
from ovrisisbench.prepare.layouts.labels import StrangeLabelsError
from ovrisisbench.prepare.layouts.readers import prepared_path
from ovrisisbench.prepare.layouts.recognition import Choice, recognise
from ovrisisbench.prepare.recall import recall, remembered
from ovrisisbench.prepare.report import PrepareReport, make_report
from ovrisisbench.prepare.storage.disk_errors import explained_disk_errors
from ovrisisbench.prepare.storage.hdf5_file import FORMAT_VERSION, finish, new_file, store_manifest
from ovrisisbench.prepare.storage.manifest import Manifest, rules_digest
from ovrisisbench.prepare.storage.prepared import PreparedDataset, read_creation
from ovrisisbench.prepare.workers import default_workers, run_jobs

__all__ = ["Progress", "Settings", "prepare", "prepare_scanned", "scanned"]

Progress = Callable[[str, int, int], None]
"""Called with a phase (``convert`` or ``assemble``), scenes done, scenes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a download is to be prepared, whatever it is."""

    workers: int | None = None
    """Processes that decode; None for one a processor core."""
    allow_partial: bool = False
    """Go on when images are missing; the file and every record made from it say so."""
    allow_doubtful: bool = False
    """Go on when colours or shares of classes look wrong; the file keeps the doubt as a warning."""
    overwrite: bool = False
    """Replace a file that was prepared from other files or by other rules, or do the same again."""
    check: bool = False
    """Look at everything and write nothing."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one call of :func:`prepare` works on."""

    card: DatasetCard
    variant: Variant
    reader: LayoutReader
    found: Recognised
    expected: Mapping[str, Expected]
    verdict: Verdict
    notes: tuple[str, ...]
    files: Source
    target: Path
    settings: Settings

    @property
    def layout(self) -> Layout:
        """What the card says of the layout that was read."""
        return self.card.layout(self.reader.layout)

    @property
    def identity(self) -> str:
        """Digest of the files to be read and the rules to follow; equal ones make an equal prepared file."""
        units = [unit.identity for unit in self.found.units]
        return content_digest([rules_digest(self.card, self.variant), self.reader.layout, FORMAT_VERSION, units])


def prepare(
    dataset: str,
    source: Path | str,
    target: Path | str = "data",
    *,
    variant: str | None = None,
    workers: int | None = None,
    allow_partial: bool = False,
    allow_doubtful: bool = False,
    overwrite: bool = False,
    check: bool = False,
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
        variant: which reading of the data set; None for the card's default, or what the layout allows.
        workers: processes that decode; None for one a processor core.
        allow_partial: go on when images are missing; the file and every record made from it say so.
        allow_doubtful: go on when colours or shares of classes look wrong; the file keeps the doubt as a warning.
        overwrite: replace a file that was prepared from other files or by other rules, or do the same again.
        check: look at everything, and write nothing.
        progress: told how far it is.
        card: a card other than the installed one, for the same readers.

    Returns:
        What was recognised, counted and expected.

    Raises:
        CatalogError: an unknown data set or variant.
        DataError: the download cannot be used, or is not complete.
        OvrisisBenchError: the disk is full, or the folder cannot be written.
    """
    source, target = Path(source), Path(target)
    card = card or load_card(dataset)
    card.variant(variant)
    settings = Settings(
        workers=workers,
        allow_partial=allow_partial,
        allow_doubtful=allow_doubtful,
        overwrite=overwrite,
        check=check,
    )
    with scanned(source, None if check else target, card.key) as files:
        return prepare_scanned(files, card, target, settings, variant=variant, started=lambda: progress or _silent)


@contextmanager
def scanned(source: Path, target: Path | None, name: str, *, skip_broken: bool = False) -> Iterator[Source]:
    """List a download; zips that are compressed inside zips stay unpacked for the time of the block.

    Args:
        source: folder or zip.
        target: folder for what has to be unpacked, kept if the block fails; None for a temporary one.
        name: of the folder in ``target``.
        skip_broken: see :func:`~ovrisisbench.prepare.download.sources.scan`.

    Raises:
        DataError: see :func:`~ovrisisbench.prepare.download.sources.scan`.
    """
    with tempfile.TemporaryDirectory(prefix="ovrisisbench-") as temporary:
        scratch = Path(temporary) if target is None else target / f".{name}.unpacked"
        try:
            yield scan(source, scratch=scratch, skip_broken=skip_broken)
        finally:
            close_archives()
        shutil.rmtree(scratch, ignore_errors=True)


def prepare_scanned(
    source: Source,
    card: DatasetCard,
    target: Path,
    settings: Settings,
    *,
    variant: str | None = None,
    take_first: bool = False,
    started: Callable[[], Progress],
) -> PrepareReport:
    """Prepare one data set from files that are listed already; see :func:`prepare`.

    Args:
        source: the files.
        card: the data set.
        target: folder for the prepared file.
        settings: how.
        variant: which reading; None to choose.
        take_first: of several layouts take the first on the card instead of stopping.
        started: called once the data set is found, unless nothing has to be done; returns what is told how far it is.
    """
    source = source.belonging_to(card.key, drawn=card.drawn_after is not None)
    if not (settings.check or settings.overwrite):
        known = recall(source, card, card.variant(variant), target)
        if known:
            refuse_parts(known.partial_reasons, card, allow_partial=settings.allow_partial)
            return known
    choice = recognise(source, card, variant, take_first=take_first)
    return _prepare_choice(choice, source, target, settings, progress=started())


def _prepare_choice(
    choice: Choice, source: Source, target: Path, settings: Settings, *, progress: Progress
) -> PrepareReport:
    card, reader, chosen, found = choice.card, choice.reader, choice.variant, choice.found
    expected = reader.expected(card, chosen, found)
    is_cut = card.layout(reader.layout).is_cut
    verdict = examine_download(found, expected, what="windows" if is_cut else "images")
    class_names = load_vocabulary(chosen.vocabulary).class_names
    verdict = verdict.plus(examine_vocabulary_files(source, card, class_names))
    verdict.refuse_parts(card, allow_partial=settings.allow_partial)
    if not found.units:
        raise DataError(f"{source.root} has no image of {card.title} that has a mask; nothing can be prepared.")
    path = prepared_path(target, card.key, chosen.name)
    notes = (choice.remark, *found.notes) if choice.remark else found.notes
    task = _Task(card, chosen, reader, found, expected, verdict, notes, source, path, settings)
    if settings.check:
        return _check(task, progress)
    with _lock(path):
        if not settings.overwrite and path.exists():
            return _unchanged(task)
        return _prepare(task, progress)


def _check(task: _Task, progress: Progress) -> PrepareReport:
    jobs = make_jobs(task.card, task.variant, task.reader.layout, task.found.units, task.target)
    contents: dict[Path, UnitContent] = {}

    def done(job: Job, content: UnitContent) -> None:
        contents[job.path] = content
        progress("convert", len(contents), len(jobs))

    progress("convert", 0, len(jobs))
    with _explained(task):
        run_jobs(check_unit, _largest_first(jobs), workers=_workers(task), done=done)
    manifest, verdict = _manifest(task, [contents[job.path] for job in jobs])
    size = sum(4 * sample.height * sample.width for sample in manifest.samples)
    return _report(task, manifest, verdict, status="checked", size_bytes=size, parts_reused=0)


def _prepare(task: _Task, progress: Progress) -> PrepareReport:
    remove_leftovers(task.target, parts=False)
    jobs = make_jobs(task.card, task.variant, task.reader.layout, task.found.units, task.target)
    waiting = [job for job in jobs if not part_is_finished(job)]
    finished = len(jobs) - len(waiting)

    def done(_job: Job, _none: None) -> None:
        nonlocal finished
        finished += 1
        progress("convert", finished, len(jobs))

    progress("convert", finished, len(jobs))
    with _explained(task):
        run_jobs(write_part, _largest_first(waiting), workers=_workers(task), done=done)
    manifest, verdict = _manifest(task, [read_part(job) for job in jobs])
    reused = len(jobs) - len(waiting)
    report = _report(task, manifest, verdict, status="prepared", size_bytes=0, parts_reused=reused)
    _assemble(task, jobs, manifest, report, progress)
    remove_leftovers(task.target, parts=True)
    return report.model_copy(update={"size_bytes": task.target.stat().st_size})


@contextmanager
def _explained(task: _Task) -> Iterator[None]:
    """Find out why a mask holds what nothing defines, before saying so."""
    try:
        yield
    except StrangeLabelsError as error:
        finding = explain_masks(task.found.pairs, task.card, task.variant, task.layout)
        if finding is None:
            raise
        words = f"{task.card.title} cannot be used as it is: {finding.sentence()} ({str(error).rstrip('.')})."
        raise DataError(words) from error


def _manifest(task: _Task, units: Sequence[UnitContent]) -> tuple[Manifest, Verdict]:
    contents = Contents.of(units)
    is_part = bool(task.verdict.of("partial")) or bool(contents.unusable)
    findings = examine_contents(contents, task.card, task.variant, is_cut=task.layout.is_cut, is_part=is_part)
    verdict = task.verdict.plus(findings)
    if not contents.samples:
        verdict.refuse_parts(task.card, allow_partial=False)
        raise DataError(
            f"{task.files.root} gives no image to evaluate: every window of its {len(task.found.pairs)} image(s) has "
            "too few labelled pixels."
        )
    verdict = examine_samples(contents.samples, task.variant, verdict)
    verdict.refuse_errors(task.card, allow_doubtful=task.settings.allow_doubtful)
    verdict.refuse_parts(task.card, allow_partial=task.settings.allow_partial)
    manifest = Manifest.build(
        task.card,
        task.variant,
        contents.samples,
        layout=task.reader.layout,
        partial_reasons=verdict.sentences("partial"),
        verified=verdict.verified,
        notes=(*task.notes, *contents.remarks()),
        warnings=(f"{sentence}." for sentence in (*verdict.sentences("doubt"), *verdict.sentences("warning"))),
    )
    return manifest, verdict


def _assemble(task: _Task, jobs: list[Job], manifest: Manifest, report: PrepareReport, progress: Progress) -> None:
    with atomic_path(task.target) as temporary, explained_disk_errors(task.target), new_file(temporary) as file:
        for number, job in enumerate(jobs):
            progress("assemble", number, len(jobs))
            copy_part(job, file)
        store_manifest(file, manifest, creation=_creation(task, report))
        finish(file)
    progress("assemble", len(jobs), len(jobs))


def _largest_first(jobs: Sequence[Job]) -> list[Job]:
    """Order jobs so that no worker is left alone with a large one at the end."""
    return sorted(jobs, key=lambda job: -sum(pair.image.size for pair in job.unit.pairs))


def _workers(task: _Task) -> int:
    return task.settings.workers or default_workers()


def _creation(task: _Task, report: PrepareReport) -> str:
    return json.dumps(
        {
            **remembered(task.files, task.card, task.variant, report),
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
    refuse_parts(manifest.partial_reasons, task.card, allow_partial=task.settings.allow_partial)
    remove_leftovers(task.target, parts=True)
    verdict = examine_samples(manifest.samples, task.variant, task.verdict)
    size = task.target.stat().st_size
    return _report(task, manifest, verdict, status="unchanged", size_bytes=size, parts_reused=0)


def _report(
    task: _Task, manifest: Manifest, verdict: Verdict, *, status: str, size_bytes: int, parts_reused: int
) -> PrepareReport:
    return make_report(
        manifest,
        task.found,
        task.expected,
        task.variant,
        status=status,
        source=str(task.files.root),
        target=str(task.target),
        layout_title=task.layout.title,
        findings=verdict.findings,
        size_bytes=size_bytes,
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
