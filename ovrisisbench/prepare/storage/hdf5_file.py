"""The HDF5 file of a prepared data set, and of the parts it is put together from.

Layout (``docs/prepared-data.md`` has the full description)::

    /images/<source>   (H, W, 3) uint8, contiguous, not compressed
    /labels/<source>   (H, W) uint8, contiguous, not compressed
    /manifest          JSON, as bytes
    attributes         format, format_version, manifest_sha256, creation, complete (written last)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.storage.manifest import Manifest

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "IMAGES",
    "LABELS",
    "add_source",
    "checked_open",
    "finish",
    "new_file",
    "open_file",
    "read_bytes",
    "remove_sources",
    "store_manifest",
    "write_bytes",
]

FORMAT = "ovrisisbench-prepared"
FORMAT_VERSION = 2
IMAGES = "images"
LABELS = "labels"
_MANIFEST = "manifest"


@contextmanager
def new_file(path: Path, *, kind: str = FORMAT) -> Iterator[h5py.File]:
    """Create an HDF5 file of ours; it counts as unfinished until :func:`finish` has run.

    Args:
        path: the file, replaced if there is one.
        kind: value of the ``format`` attribute.
    """
    with h5py.File(path, "w") as file:
        file.attrs["format"] = kind
        file.attrs["format_version"] = FORMAT_VERSION
        file.create_group(IMAGES)
        file.create_group(LABELS)
        yield file


def add_source(file: h5py.File, name: str, height: int, width: int) -> tuple[h5py.Dataset, h5py.Dataset]:
    """Add the two arrays of one source, and return (image, labels) to be filled.

    Contiguous arrays, because a window is then a strided copy out of a memory
    map: no chunk is read in vain, none is wasted at the borders.
    """
    image = file[IMAGES].create_dataset(name, shape=(height, width, 3), dtype=np.uint8)
    labels = file[LABELS].create_dataset(name, shape=(height, width), dtype=np.uint8)
    return image, labels


def remove_sources(file: h5py.File, image: str) -> None:
    """Remove the arrays of an image that turned out to be unusable: those of its name, whole or of its parts."""
    for group in (file[IMAGES], file[LABELS]):
        for name in [name for name in group if name == image or re.fullmatch(rf"{re.escape(image)}(_\d+){{4}}", name)]:
            del group[name]


def write_bytes(file: h5py.File, name: str, content: bytes) -> None:
    """Store ``content`` as a one-dimensional array of bytes (attributes end at 64 KiB)."""
    file.create_dataset(name, data=np.frombuffer(content, np.uint8), compression="gzip", compression_opts=4)


def read_bytes(file: h5py.File, name: str) -> bytes:
    """Return what :func:`write_bytes` stored."""
    return bytes(file[name][()].tobytes())


def store_manifest(file: h5py.File, manifest: Manifest, *, creation: str) -> None:
    """Store the manifest and, apart from it, what may differ between equal files.

    Args:
        file: a file from :func:`new_file`.
        manifest: the content that is compared.
        creation: JSON with date, versions and the identity of the files that were read.
    """
    content = manifest.model_dump_json().encode()
    write_bytes(file, _MANIFEST, content)
    file.attrs["manifest_sha256"] = hashlib.sha256(content).hexdigest()
    file.attrs["creation"] = creation


def finish(file: h5py.File) -> None:
    """Mark the file as complete; nothing may be written after it."""
    file.flush()
    file.attrs["complete"] = True


@contextmanager
def open_file(path: Path, *, kind: str = FORMAT) -> Iterator[h5py.File]:
    """Open a finished file of ours for reading.

    Raises:
        DataError: missing, not HDF5, not ours, of another format version, or unfinished.
    """
    file = checked_open(path, kind=kind)
    try:
        yield file
    finally:
        file.close()


def checked_open(path: Path, *, kind: str = FORMAT) -> h5py.File:
    """Return an open file of ours; the caller closes it. See :func:`open_file`."""
    if not path.is_file():
        raise DataError(f"{path} does not exist; make it with 'ovrisis-bench prepare'.")
    try:
        file = _opened(path)
    except OSError as error:
        raise DataError(
            f"{path} is not an HDF5 file, or only a part of one ({error}); prepare the data set again."
        ) from error
    problem = _problem(file, kind)
    if problem:
        file.close()
        raise DataError(f"{path} {problem}")
    return file


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError:
        # Network disks often lack locks, and finished files never change. Not the first choice: HDF5 refuses
        # to open one file with two lock settings in one process.
        return h5py.File(path, "r", locking=False)


def _problem(file: h5py.File, kind: str) -> str:
    found = file.attrs.get("format")
    if found != kind:
        return (
            f"is HDF5, but not a prepared data set of ovrisisbench (format {found!r}); "
            "name a file that 'ovrisis-bench prepare' made."
        )
    version = int(file.attrs.get("format_version", 0))
    if version > FORMAT_VERSION:
        return (
            f"was written by a newer ovrisisbench (format {version}, this one reads {FORMAT_VERSION}); "
            "upgrade, or prepare it again."
        )
    if version < FORMAT_VERSION:
        return (
            f"is of an older format ({version}, this ovrisisbench reads {FORMAT_VERSION}); "
            "prepare it again with --overwrite."
        )
    if not file.attrs.get("complete", False):
        return "was not written to its end; prepare it again with --overwrite."
    return ""
