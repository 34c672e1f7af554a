"""Zips on disk, and zips that are stored inside zips, opened once in each process."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Archive", "close_archives", "opened"]

_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
"""Signature, fields that the central directory repeats, length of the name, length of the extra field."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A file on disk, or the part of one that is a zip stored inside a zip."""

    location: str
    """Path of the file; text, because there may be many thousands."""
    start: int = 0
    length: int | None = None
    """Bytes; None for the whole file."""

    @property
    def file(self) -> Path:
        """The file on disk."""
        return Path(self.location)

    def stored(self, info: zipfile.ZipInfo) -> Archive:
        """Return the place of a member that is stored as it is.

        Raises:
            DataError: its header is not where the archive says.
        """
        with self.file.open("rb") as stream:
            stream.seek(self.start + info.header_offset)
            header = stream.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\3\4":
            raise DataError(f"{self.file} is damaged at '{info.filename}'; download it again.")
        name_length, extra_length = _LOCAL_HEADER.unpack(header)[-2:]
        start = self.start + info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        return Archive(self.location, start, info.file_size)


def opened(archive: Archive) -> zipfile.ZipFile:
    """Return the open zip; it stays open in this process until :func:`close_archives`.

    Raises:
        OSError: it cannot be read.
        zipfile.BadZipFile: it is none.
    """
    return _opened(archive, os.getpid())


def close_archives() -> None:
    """Close the zips that :meth:`Entry.open` keeps open in this process."""
    _opened.cache_clear()


@lru_cache(maxsize=16)
def _opened(archive: Archive, process: int) -> zipfile.ZipFile:  # noqa: ARG001 - a forked child must not share the handle
    if archive.length is None:
        return zipfile.ZipFile(archive.file)
    return zipfile.ZipFile(io.BufferedReader(_Slice(archive.file, archive.start, archive.length), 1 << 16))


class _Slice(io.RawIOBase):
    """A run of bytes of a file as a file of its own."""

    def __init__(self, file: Path, start: int, length: int) -> None:
        super().__init__()
        self._stream = file.open("rb", buffering=0)
        self._start, self._length, self._position = start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "seek before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)[: max(0, self._length - self._position)]
        self._stream.seek(self._start + self._position)
        count = self._stream.readinto(view) or 0
        self._position += count
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
