"""Arrays of an HDF5 file as views into a memory map.

A contiguous HDF5 array is a plain run of bytes at a known offset. Mapping the
file and copying the rows of a window costs about a tenth of the same read
through the HDF5 library (``benchmarks/prepared_reading.py``), takes no lock,
and is safe across fork.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING, cast

import h5py
import numpy as np

from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MappedFile"]


class MappedFile:
    """An open HDF5 file and a read-only map of its bytes.

    Args:
        path: the file.
        file: the same file, open for reading; closed by :meth:`close`.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path = path
        self._file = file
        with path.open("rb") as stream:
            self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._arrays: dict[tuple[str, str], NDArray[np.uint8]] = {}

    def array(self, group: str, name: str) -> NDArray[np.uint8]:
        """Return ``/group/name`` as something that slices like a uint8 array, without copying it.

        Raises:
            DataError: there is no such array.
        """
        key = (group, name)
        if key not in self._arrays:
            self._arrays[key] = self._view(group, name)
        return self._arrays[key]

    def close(self) -> None:
        """Drop the views, the map and the file."""
        self._arrays.clear()
        self._bytes.close()
        self._file.close()

    def _view(self, group: str, name: str) -> NDArray[np.uint8]:
        try:
            dataset = self._file[group][name]
        except KeyError as error:
            raise DataError(
                f"{self._path} lacks /{group}/{name}, which its manifest names; prepare it again."
            ) from error
        offset = dataset.id.get_offset()
        if offset is None or dataset.dtype != np.uint8:
            # Rewritten by a tool such as h5repack: chunks or filters. HDF5 itself reads those.
            return cast("NDArray[np.uint8]", dataset)
        return np.ndarray(dataset.shape, np.uint8, self._bytes, offset)
