"""What lies under ``--from``: files in folders and members of zips, as one flat list.

Zips are read in place; nothing is extracted. A member counts only if its name
stays below the archive and it is no link; it opens only if its declared size is
plausible.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from ovrisisbench.errors import DataError

__all__ = ["MAX_MEMBERS", "MAX_MEMBER_BYTES", "Entry", "Source", "close_archives", "scan"]

MAX_MEMBER_BYTES: Final = 2**30
"""Largest unpacked size of one zip member; the largest image of any data set has about 540 MB of pixels."""
MAX_MEMBERS: Final = 1_000_000
"""Most members that one zip may list."""

_JUNK: Final = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_READABLE_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a download, on disk or inside a zip."""

    path: str
    """Below ``--from``, with slashes; an archive's name is one component: ``train/part1.zip/images/P0000.png``."""
    file: Path
    """The file on disk: the picture itself, or the zip that holds it."""
    member: str | None
    """Name inside the zip; None for a file on disk."""
    size: int
    """Bytes, unpacked."""
    stamp: str
    """Changes when the content does: CRC-32 of a member, time of modification of a file."""

    @property
    def name(self) -> str:
        """Last component of the path."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.path).stem

    @property
    def folders(self) -> tuple[str, ...]:
        """Components above the name; a zip among them has lost its ending."""
        parts = PurePosixPath(self.path).parts[:-1]
        return tuple(part[:-4] if part.lower().endswith(".zip") else part for part in parts)

    @property
    def identity(self) -> tuple[str, int, str]:
        """What must be unchanged for earlier work on this file to be used again."""
        return (self.path, self.size, self.stamp)

    def open(self) -> BinaryIO:
        """Open the content for reading.

        Raises:
            DataError: it vanished, is implausibly large, or the zip needs a password or another program.
        """
        try:
            if self.member is None:
                return self.file.open("rb")
            archive = _archive(self.file, os.getpid())
            self._refuse_unreadable(archive.getinfo(self.member))
            return cast("BinaryIO", archive.open(self.member))
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise DataError(f"{self.path} cannot be read ({error}); download it again.") from error

    def _refuse_unreadable(self, info: zipfile.ZipInfo) -> None:
        # Checked here and not while listing: an unrelated archive in the same folder shall not stop anybody.
        if info.file_size > MAX_MEMBER_BYTES:
            raise DataError(
                f"{self.path} would unpack to {info.file_size / 2**30:.1f} GiB, more than the "
                f"{MAX_MEMBER_BYTES / 2**30:.0f} GiB that any image needs; do not use this archive."
            )
        if info.flag_bits & _ENCRYPTED:
            raise DataError(f"{self.path} is protected by a password; unpack {self.file.name} first.")
        if info.compress_type not in _READABLE_METHODS:
            raise DataError(f"{self.path} is packed by method {info.compress_type}; unpack {self.file.name} with 7z.")

    def crc32(self) -> int:
        """Return the CRC-32 of the content; a zip member's is known, a file is read."""
        if self.member is not None:
            return int(self.stamp.removeprefix("crc:"), 16)
        value = 0
        with self.open() as stream:
            while block := stream.read(1 << 20):
                value = zlib.crc32(block, value)
        return value


@dataclass(frozen=True, slots=True)
class Source:
    """All files under the folder or zip that was given."""

    root: Path
    entries: tuple[Entry, ...]
    """Sorted by path."""
    inner_archives: tuple[str, ...]
    """Zips inside zips; they are not opened."""


def scan(root: Path) -> Source:
    """List every file under ``root`` and every member of every zip there.

    Files of operating systems (``__MACOSX``, ``._*``, ``Thumbs.db``) and
    hidden files are left out. Links to folders are followed, each folder once.

    Args:
        root: a folder, or one zip.

    Raises:
        DataError: missing, empty, neither folder nor zip, or a zip that is broken or unsafe.
    """
    if not root.exists():
        raise DataError(f"{root} does not exist; give the folder or zip of the download with --from.")
    entries: list[Entry] = []
    if root.is_dir():
        for file in _files(root):
            path = file.relative_to(root).as_posix()
            if file.suffix.lower() == ".zip":
                entries.extend(_members(file, path))
            else:
                status = file.stat()
                entries.append(Entry(path, file, None, status.st_size, f"mtime:{status.st_mtime_ns}"))
    elif zipfile.is_zipfile(root):
        entries.extend(_members(root, root.name))
    else:
        raise DataError(f"{root} is neither a folder nor a zip; give the folder or zip of the download with --from.")
    if not entries:
        raise DataError(f"{root} holds no files; give the folder or zip of the download with --from.")
    inner = tuple(entry.path for entry in entries if entry.member and entry.name.lower().endswith(".zip"))
    return Source(root, tuple(sorted(entries, key=lambda entry: entry.path)), inner)


def close_archives() -> None:
    """Close the zips that :meth:`Entry.open` keeps open in this process."""
    _archive.cache_clear()


def _files(root: Path) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=_unreadable):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not _is_junk(name))
        for name in sorted(names):
            file = Path(folder, name)
            if not _is_junk(name) and file.is_file():
                yield file


def _unreadable(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be listed ({error.strerror}); check its permissions.") from error


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK


def _members(file: Path, path: str) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{file} is no complete zip ({error}); download it again or move it away.") from error
    if len(infos) > MAX_MEMBERS:
        raise DataError(
            f"{file} lists {len(infos)} members, more than {MAX_MEMBERS}; unpack it by hand if you trust it."
        )
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        if info.is_dir() or any(_is_junk(part) for part in parts if part != ".."):
            continue
        _refuse_unsafe(file, info)
        yield Entry(f"{path}/{'/'.join(parts)}", file, info.filename, info.file_size, f"crc:{info.CRC:08x}")


def _refuse_unsafe(file: Path, info: zipfile.ZipInfo) -> None:
    name = info.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        raise DataError(f"{file}: member '{name}' points outside the archive; do not use this file.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DataError(f"{file}: member '{name}' is a link; unpack the archive by hand if you trust it.")


@lru_cache(maxsize=16)
def _archive(file: Path, process: int) -> zipfile.ZipFile:  # noqa: ARG001 - a forked child must not share the handle
    return zipfile.ZipFile(file)
