"""Reading a prepared data set: random access to images and label maps, safe in worker processes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from pydantic import ValidationError

from ovrisisbench.catalog.yaml_files import validation_sentence
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.storage.hdf5_file import IMAGES, LABELS, checked_open, open_file, read_bytes
from ovrisisbench.prepare.storage.manifest import Manifest, Sample
from ovrisisbench.prepare.storage.mapped_file import MappedFile

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["PreparedDataset", "read_creation"]


class PreparedDataset:
    """A prepared data set, indexed 0..len-1 in the order of its manifest.

    The file is opened at the first read of each process, and handles are left
    behind when the object is pickled, so it can be given to a ``DataLoader``
    whose workers are forked or spawned.

    Args:
        path: the HDF5 file that ``ovrisis-bench prepare`` wrote.

    Raises:
        DataError: missing, not a prepared data set, of another format version,
            unfinished, or its manifest does not hold together.

    Example:
        >>> PreparedDataset(Path("nowhere.h5"))
        Traceback (most recent call last):
        ovrisisbench.errors.DataError: nowhere.h5 does not exist; make it with 'ovrisis-bench prepare'.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with open_file(self.path) as file:
            self.manifest: Manifest = _read_manifest(file, self.path)
            self.manifest_sha256 = str(file.attrs["manifest_sha256"])
        self._mapped: MappedFile | None = None
        self._mapped_in: int | None = None

    def __len__(self) -> int:
        return len(self.manifest.samples)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples in index order."""
        return self.manifest.samples

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return the pixels of one sample.

        Args:
            index: 0..len-1.

        Returns:
            (H, W, 3) uint8, RGB, a copy of its own.

        Raises:
            DataError: the file vanished, was replaced, or holds other arrays than its manifest says.
        """
        return self._cut(IMAGES, self.samples[index])

    def label(self, index: int) -> NDArray[np.uint8]:
        """Return the label map of one sample.

        Args:
            index: 0..len-1.

        Returns:
            (H, W) uint8, 0..K-1 and 255 = ignored, a copy of its own.

        Raises:
            DataError: see :meth:`image`.
        """
        return self._cut(LABELS, self.samples[index])

    def verify(self, index: int) -> None:
        """Compare the stored pixels and labels of one sample with its digests.

        Raises:
            DataError: they differ, so the file was damaged or edited.
        """
        sample = self.samples[index]
        for array, expected in ((self.image(index), sample.image_sha256), (self.label(index), sample.label_sha256)):
            if hashlib.sha256(array.data).hexdigest() != expected:
                raise DataError(f"{self.path}: sample {sample.id} is damaged; prepare the data set again.")

    def close(self) -> None:
        """Close the file; reading again opens it again."""
        if self._mapped is not None and self._mapped_in == os.getpid():
            self._mapped.close()
        self._mapped = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": None, "_mapped_in": None}

    def _cut(self, group: str, sample: Sample) -> NDArray[np.uint8]:
        array = self._file().array(group, sample.source)
        if sample.y1 > array.shape[0] or sample.x1 > array.shape[1]:
            raise DataError(
                f"{self.path}: /{group}/{sample.source} is smaller than sample {sample.id} needs; "
                "prepare the data set again."
            )
        return np.array(array[sample.y0 : sample.y1, sample.x0 : sample.x1], order="C")

    def _file(self) -> MappedFile:
        if self._mapped is None or self._mapped_in != os.getpid():
            file = checked_open(self.path)
            if file.attrs.get("manifest_sha256") != self.manifest_sha256:
                file.close()
                raise DataError(f"{self.path} was replaced while it was in use; start again.")
            self._mapped, self._mapped_in = MappedFile(self.path, file), os.getpid()
        return self._mapped


def read_creation(path: Path) -> Mapping[str, Any]:
    """Return how and when a prepared file was made; nothing of it is part of the data.

    Raises:
        DataError: see :class:`PreparedDataset`.
    """
    with open_file(path) as file:
        return dict(json.loads(file.attrs.get("creation", "{}")))


def _read_manifest(file: h5py.File, path: Path) -> Manifest:
    try:
        content = read_bytes(file, "manifest")
    except (KeyError, OSError) as error:
        raise DataError(f"{path} has no readable manifest; prepare the data set again.") from error
    if hashlib.sha256(content).hexdigest() != file.attrs.get("manifest_sha256"):
        raise DataError(f"The manifest in {path} was changed after it was written; prepare the data set again.")
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise DataError(validation_sentence(f"The manifest in {path}", error)) from error
