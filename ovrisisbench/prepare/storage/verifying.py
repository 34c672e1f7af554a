"""The one call behind ``ovrisis-bench verify``: is a prepared file still what was written?

Every pixel is read again through the HDF5 library, not through the memory
map that evaluation uses: a disk that fails then costs a sentence, not the
process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict, computed_field

from ovrisisbench.catalog.cards import IGNORE_INDEX, load_card
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.errors import CatalogError, DataError
from ovrisisbench.prepare.storage.hdf5_file import IMAGES, LABELS, open_file
from ovrisisbench.prepare.storage.manifest import Manifest, Sample, rules_digest
from ovrisisbench.prepare.storage.prepared import PreparedDataset
from ovrisisbench.prepare.workers import default_workers, run_jobs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DamagedSample", "VerifyProgress", "VerifyReport", "verify"]

VerifyProgress = Callable[[str, int, int], None]
"""Called with a file, its samples checked so far, and its samples in all."""

_CHUNK_BYTES: Final = 2**27
"""Pixels and labels of one job: half a second of hashing, so that Ctrl-C and the progress bar answer soon."""
_HDF5_ERRORS: Final = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What h5py raises on damaged files, depending on the place of the damage."""


class DamagedSample(BaseModel):
    """One sample that is not what the manifest says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    problems: tuple[str, ...]
    """What differs: ``pixels differ from their digest``."""


class VerifyReport(BaseModel):
    """The outcome for one file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    """As it was given."""
    dataset: str | None = None
    """None where the file cannot be read."""
    variant: str | None = None
    digest: str | None = None
    """The fingerprint that the manifest states."""
    problem: str = ""
    """Why nothing of the file could be checked, or not all of it; empty if all was."""
    findings: tuple[str, ...] = ()
    """What is wrong with the file as a whole, such as other rules than the installed card's."""
    samples: int = 0
    checked: int = 0
    """Samples whose pixels and labels were read."""
    damaged: tuple[DamagedSample, ...] = ()
    """All of them, in the order of the manifest."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def intact(self) -> bool:
        """True if everything was checked and agrees."""
        return not (self.problem or self.findings or self.damaged) and self.checked == self.samples


def verify(
    paths: Sequence[Path | str], *, workers: int | None = None, progress: VerifyProgress | None = None
) -> list[VerifyReport]:
    """Read prepared files again and compare everything with their manifests.

    For each file: the manifest with its own digest and its sums, its rules
    and class names with the installed card, and of every sample the two
    digests, the histogram, the shapes and the range of labels. Nothing is
    raised for a damaged file, so one of them does not hide the others.

    Args:
        paths: the files.
        workers: processes that read; None for one a processor core. Small files are read in this process.
        progress: told how far it is.

    Returns:
        One report for each path, in the same order.

    Raises:
        DataError: a worker process was killed from outside.

    Example:
        >>> (report,) = verify(["nowhere.h5"])
        >>> report.intact, report.problem
        (False, "nowhere.h5 does not exist; make it with 'ovrisis-bench prepare'.")
    """
    files = [_File.open(Path(path)) for path in paths]
    jobs = [job for number, file in enumerate(files) for job in file.jobs(number)]
    told = progress or _silent

    def done(job: _Job, outcome: _Outcome) -> None:
        file = files[job.file]
        file.add(job, outcome)
        told(str(file.path), file.checked, len(file.samples))

    for file in files:
        told(str(file.path), 0, len(file.samples))
    try:
        run_jobs(_check, jobs, workers=workers or default_workers(), done=done)
    except DataError as error:
        if not isinstance(error.__cause__, BrokenProcessPool):
            raise
        raise DataError(
            "A worker process was killed, probably for lack of memory; verify again with fewer --workers."
        ) from error
    return [file.report() for file in files]


@dataclass(frozen=True, slots=True)
class _Job:
    """Some neighbouring samples of one file; pickled, so it carries only what is needed of the manifest."""

    file: int
    path: Path
    manifest_sha256: str
    classes: int
    first: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    checked: int
    damaged: tuple[tuple[int, DamagedSample], ...] = ()
    problem: str = ""


@dataclass(slots=True)
class _File:
    """What is known of one file so far."""

    path: Path
    manifest: Manifest | None = None
    manifest_sha256: str = ""
    problem: str = ""
    checked: int = 0
    damaged: list[tuple[int, DamagedSample]] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> _File:
        try:
            with PreparedDataset(path) as dataset:
                return cls(path, dataset.manifest, dataset.manifest_sha256)
        except DataError as error:
            return cls(path, problem=str(error))
        except _HDF5_ERRORS as error:
            return cls(path, problem=f"{path} cannot be read ({_one_line(error)}); prepare the data set again.")

    @property
    def samples(self) -> tuple[Sample, ...]:
        return self.manifest.samples if self.manifest else ()

    def jobs(self, number: int) -> Iterator[_Job]:
        if self.manifest is None:
            return
        classes = len(self.manifest.class_names)
        for first, end in _chunks(sample.height * sample.width * 4 for sample in self.samples):
            yield _Job(number, self.path, self.manifest_sha256, classes, first, self.samples[first:end])

    def add(self, job: _Job, outcome: _Outcome) -> None:
        self.checked += outcome.checked
        self.damaged.extend((job.first + index, sample) for index, sample in outcome.damaged)
        self.problem = self.problem or outcome.problem

    def report(self) -> VerifyReport:
        if self.manifest is None:
            return VerifyReport(file=str(self.path), problem=self.problem)
        return VerifyReport(
            file=str(self.path),
            dataset=self.manifest.dataset,
            variant=self.manifest.variant,
            digest=self.manifest.digest,
            problem=self.problem,
            findings=tuple(_findings(self.manifest)),
            samples=len(self.samples),
            checked=self.checked,
            damaged=tuple(sample for _, sample in sorted(self.damaged, key=lambda entry: entry[0])),
        )


def _chunks(sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of runs of samples that have about ``_CHUNK_BYTES``."""
    first, end, total = 0, 0, 0
    for end, size in enumerate(sizes, 1):
        total += size
        if total >= _CHUNK_BYTES:
            yield first, end
            first, total = end, 0
    if end > first:
        yield first, end


def _findings(manifest: Manifest) -> Iterator[str]:
    try:
        card = load_card(manifest.dataset)
        variant = card.variant(manifest.variant)
    except CatalogError as error:
        yield f"the installed cards do not know what it is: {error}"
        return
    if rules_digest(card, variant) != manifest.rules_digest:
        yield f"prepared by other rules than those of the installed card of {card.title}; prepare it again"
    elif load_vocabulary(variant.vocabulary).class_names != manifest.class_names:
        yield f"its class names are not those of the vocabulary {variant.vocabulary}, by which it was prepared"


def _check(job: _Job) -> _Outcome:
    """Read the samples of one job; runs in a worker process."""
    damaged: list[tuple[int, DamagedSample]] = []
    try:
        with open_file(job.path) as file:
            if file.attrs.get("manifest_sha256") != job.manifest_sha256:
                return _Outcome(0, problem=f"{job.path} was replaced while it was read; verify it again.")
            # Windows of one scene are neighbours: their source is looked up once.
            for source, members in groupby(enumerate(job.samples), key=lambda member: member[1].source):
                image, labels = _stored(file, IMAGES, source, (3,)), _stored(file, LABELS, source, ())
                for index, sample in members:
                    problems = tuple(_problems(image, labels, sample, job.classes))
                    if problems:
                        damaged.append((index, DamagedSample(id=sample.id, problems=problems)))
    except DataError as error:
        return _Outcome(0, problem=str(error))
    return _Outcome(len(job.samples), tuple(damaged))


@dataclass(frozen=True, slots=True)
class _Stored:
    """One array of the file, or why it cannot be used."""

    name: str
    array: h5py.Dataset | None
    shape: tuple[int, ...] = ()
    problem: str = ""


def _stored(file: h5py.File, group: str, source: str, bands: tuple[int, ...]) -> _Stored:
    name = f"/{group}/{source}"
    try:
        array = file[group].get(source)
        if not isinstance(array, h5py.Dataset):
            return _Stored(name, None, problem=f"{name} is missing")
        if array.dtype != np.uint8 or array.ndim < 2 or array.shape[2:] != bands:
            return _Stored(name, None, problem=f"{name} is {array.dtype} of shape {array.shape}")
        return _Stored(name, array, array.shape)
    except _HDF5_ERRORS as error:
        return _Stored(name, None, problem=f"{name} cannot be read ({_one_line(error)})")


def _problems(image: _Stored, labels: _Stored, sample: Sample, classes: int) -> Iterator[str]:
    pixels, problem = _cut(image, sample)
    if pixels is None:
        yield problem
    elif hashlib.sha256(pixels.data).hexdigest() != sample.image_sha256:
        yield "pixels differ from their digest"
    label_map, problem = _cut(labels, sample)
    if label_map is None:
        yield problem
        return
    if hashlib.sha256(label_map.data).hexdigest() != sample.label_sha256:
        yield "labels differ from their digest"
    yield from _label_problems(label_map, sample, classes)
    if pixels is not None and image.shape[:2] != labels.shape:
        yield f"{image.name} and {labels.name} differ in size"


def _cut(stored: _Stored, sample: Sample) -> tuple[NDArray[np.uint8] | None, str]:
    """Return the rectangle of one sample, or None and why there is none."""
    if stored.array is None:
        return None, stored.problem
    if stored.shape[0] < sample.y1 or stored.shape[1] < sample.x1:
        return None, f"{stored.name} is too small"
    try:
        return np.ascontiguousarray(stored.array[sample.y0 : sample.y1, sample.x0 : sample.x1]), ""
    except _HDF5_ERRORS as error:
        return None, f"{stored.name} cannot be read ({_one_line(error)})"


def _label_problems(labels: NDArray[np.uint8], sample: Sample, classes: int) -> Iterator[str]:
    counts = np.bincount(labels.ravel(), minlength=256)
    found = {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    if found != sample.histogram:
        yield "the histogram differs from the label map"
    strange = [value for value in found if value >= classes and value != IGNORE_INDEX]
    if strange:
        yield f"label {strange[0]} is none of the {classes} classes"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _silent(_file: str, _done: int, _total: int) -> None:
    pass
