"""What lies under ``--from``: files in folders and members of zips, as one flat list.

Zips are read in place, zips inside zips as well if they are stored there as
they are; one that is compressed once more is unpacked into a scratch folder. A
member counts only if its name stays below the archive and it is no link; it
opens only if its declared size is plausible.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from ovrisisbench.atomic import atomic_path
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.archives import Archive, close_archives, opened
from ovrisisbench.prepare.storage.disk_errors import explained_disk_errors

__all__ = [
    "DRAWN_ENDING",
    "MAX_INNER_BYTES",
    "MAX_MEMBERS",
    "MAX_MEMBER_BYTES",
    "READ_ENDINGS",
    "Entry",
    "Source",
    "scan",
]

MAX_MEMBER_BYTES: Final = 2**30
"""Largest unpacked size of one zip member; the largest image of any data set has about 540 MB of pixels."""
MAX_MEMBERS: Final = 1_000_000
"""Most members that one zip may list."""
MAX_INNER_BYTES: Final = 2**36
"""Largest unpacked size of a zip that is compressed inside another."""
MAX_INNER_RATIO: Final = 100
"""Zips hardly shrink in a second compression; one that shrank to a hundredth was made to fill disks."""
MAX_DEPTH: Final = 3
"""Zips inside each other that are looked into."""

_PICTURES: Final = frozenset({"png", "bmp", "tif", "tiff", "jpg", "jpeg"})
READ_ENDINGS: Final = (*(f".{ending}" for ending in sorted(_PICTURES)), ".json")
"""Of files that any reader may look into."""
DRAWN_ENDING: Final = ".drawn.json"
"""Of the file that lies in the folder of a drawn download, after the key of its data set."""
_OTHER_ARCHIVES: Final = frozenset({".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
_JUNK: Final = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_READABLE_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a download, on disk or inside a zip."""

    path: str
    """Below ``--from``, with slashes; an archive's name is one component: ``train/part1.zip/images/P0000.png``."""
    archive: Archive
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
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def folders(self) -> tuple[str, ...]:
        """Components above the name; a zip among them has lost its ending."""
        parts = self.path.split("/")[:-1]
        return tuple(part[:-4] if part.lower().endswith(".zip") else part for part in parts)

    @property
    def identity(self) -> tuple[str, int, str]:
        """What must be unchanged for earlier work on this file to be used again."""
        return (self.path, self.size, self.stamp)

    def open(self, *, limit: int | None = None) -> BinaryIO:
        """Open the content for reading.

        Args:
            limit: bytes that a member of a zip may unpack to; None for what any image needs.

        Raises:
            DataError: it vanished, is implausibly large, or the zip needs a password or another program.
        """
        try:
            if self.member is None:
                return self.archive.file.open("rb")
            archive = opened(self.archive)
            self._refuse_unreadable(archive.getinfo(self.member), limit or MAX_MEMBER_BYTES)
            return cast("BinaryIO", archive.open(self.member))
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise DataError(f"{self.path} cannot be read ({error}); download it again.") from error

    def _refuse_unreadable(self, info: zipfile.ZipInfo, limit: int) -> None:
        # Checked here and not while listing: an unrelated archive in the same folder shall not stop anybody.
        if info.file_size > limit:
            raise DataError(
                f"{self.path} would unpack to {info.file_size / 2**30:.1f} GiB, more than the "
                f"{limit / 2**30:.0f} GiB that any image needs; do not use this archive."
            )
        if info.flag_bits & _ENCRYPTED:
            raise DataError(f"{self.path} is protected by a password; unpack {self.archive.file.name} first.")
        if info.compress_type not in _READABLE_METHODS:
            raise DataError(
                f"{self.path} is packed by method {info.compress_type}; unpack {self.archive.file.name} with 7z."
            )

    def crc32(self) -> int:
        """Return the CRC-32 of the content; a zip member's is known, a file is read."""
        if self.member is not None:
            return int(self.stamp.removeprefix("crc:"), 16)
        value = 0
        with self.open() as stream:
            while block := stream.read(1 << 20):
                value = zlib.crc32(block, value)
        return value


@dataclass(frozen=True)
class Source:
    """All files under the folder or zip that was given."""

    root: Path
    entries: tuple[Entry, ...]
    """Sorted by path."""
    not_read: tuple[str, ...] = ()
    """Archives that were not looked into, each with the reason in brackets."""

    @cached_property
    def pictures(self) -> tuple[tuple[str, Entry], ...]:
        """Every file with the ending of a picture, by its path from the root's own name on, endings removed."""
        top = self.root.resolve().name
        found = []
        for entry in self.entries:
            stem, dot, ending = entry.name.rpartition(".")
            if dot and ending.lower() in _PICTURES:
                found.append(("/".join((top, *entry.folders, stem)), entry))
        return tuple(found)

    def belonging_to(self, dataset: str, *, drawn: bool) -> Source:
        """Return only the files of one data set's drawn download, or only those of no drawn download.

        Drawn downloads have the layouts and file names of real ones; a file ``<dataset>.drawn.json`` in their folder
        tells them apart.

        Args:
            dataset: key of a card.
            drawn: whether it is a drawn data set.
        """
        homes: dict[str, str] = {}
        for entry in self.entries:
            folder, _, name = entry.path.rpartition("/")
            if name.endswith(DRAWN_ENDING):
                homes[f"{folder}/" if folder else ""] = name.removesuffix(DRAWN_ENDING)
        if not homes and not drawn:
            return self
        wanted = tuple(home for home, key in homes.items() if key == dataset) if drawn else tuple(homes)
        kept = tuple(entry for entry in self.entries if entry.path.startswith(wanted) == drawn)
        return replace(self, entries=kept)


def scan(root: Path, *, scratch: Path | None = None, skip_broken: bool = False) -> Source:
    """List every file under ``root`` and every member of every zip there.

    Files of operating systems (``__MACOSX``, ``._*``, ``Thumbs.db``) and
    hidden files are left out. Links to folders are followed, each folder once.

    Args:
        root: a folder, or one zip.
        scratch: folder for zips that lie compressed inside others; None to leave those closed.
        skip_broken: note zips that are broken or unsafe instead of stopping: for folders with all sorts of things.

    Raises:
        DataError: missing, empty, neither folder nor zip, or a zip that is broken or unsafe.
    """
    close_archives()  # a zip may have been replaced since it was read last
    if not root.exists():
        raise DataError(f"{root} does not exist; give the folder or zip of the download with --from.")
    if not root.is_dir() and not zipfile.is_zipfile(root):
        raise DataError(f"{root} is neither a folder nor a zip; give the folder or zip of the download with --from.")
    entries: list[Entry] = []
    not_read: list[str] = []
    is_folder = root.is_dir()
    for location, path, status in _files(root) if is_folder else [(str(root), root.name, root.stat())]:
        ending = path[path.rfind(".") :].lower()
        if ending == ".zip" or not is_folder:
            listing = _Listing(scratch)
            try:
                listing.add(Archive(location), path)
            except DataError as error:
                if not skip_broken:
                    raise
                not_read.append(f"{path} ({error})")
                continue
            entries.extend(listing.entries)
            not_read.extend(listing.not_read)
            continue
        if ending in _OTHER_ARCHIVES:
            not_read.append(f"{path} (archives {ending} are not read, unpack it)")
        entries.append(Entry(path, Archive(location), None, status.st_size, f"mtime:{status.st_mtime_ns}"))
    if not entries and not not_read:
        raise DataError(f"{root} holds no files; give the folder or zip of the download with --from.")
    return Source(root, tuple(sorted(entries, key=lambda entry: entry.path)), tuple(not_read))


def _files(root: Path) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield every file with its path below ``root`` and its status.

    Plain strings and directory entries: a data set may have a hundred
    thousand files, and objects for all of them take longer than listing them.
    """
    waiting = [(str(root), "")]
    seen: set[tuple[int, int]] = set()
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                found = sorted(listing, key=lambda item: item.name)
                status = os.stat(folder)  # noqa: PTH116 - see above
        except OSError as error:
            raise DataError(f"{folder} cannot be listed ({error.strerror}); check its permissions.") from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for item in found:
            if _is_junk(item.name):
                continue
            if item.is_dir():
                waiting.append((item.path, f"{prefix}{item.name}/"))
            elif item.is_file():
                yield item.path, prefix + item.name, item.stat()


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK


class _Listing:
    """The members of one zip on disk, those of the zips inside it included."""

    def __init__(self, scratch: Path | None) -> None:
        self.entries: list[Entry] = []
        self.not_read: list[str] = []
        self._scratch = scratch

    def add(self, archive: Archive, path: str, depth: int = 0) -> None:
        """List one archive that is found at ``path`` below the root."""
        for info in _infos(archive, path):
            parts = PurePosixPath(info.filename).parts
            if info.is_dir() or any(_is_junk(part) for part in parts if part != ".."):
                continue
            _refuse_unsafe(path, info)
            here = f"{path}/{'/'.join(parts)}"
            if not info.filename.lower().endswith(".zip"):
                stamp = f"crc:{info.CRC:08x}"
                self.entries.append(Entry(here, archive, info.filename, info.file_size, stamp))
                continue
            if depth == MAX_DEPTH:
                self.not_read.append(f"{here} (more than {MAX_DEPTH} zips inside each other, unpack it)")
            elif info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & _ENCRYPTED:
                self.add(archive.stored(info), here, depth + 1)
            elif self._scratch is None:
                self.not_read.append(f"{here} (a compressed zip inside a zip, unpack it)")
            else:
                self.add(Archive(str(_unpacked(archive, info, here, self._scratch))), here, depth + 1)


def _infos(archive: Archive, path: str) -> list[zipfile.ZipInfo]:
    try:
        infos = opened(archive).infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{path} is no complete zip ({error}); download it again or move it away.") from error
    if len(infos) > MAX_MEMBERS:
        raise DataError(
            f"{path} lists {len(infos)} members, more than {MAX_MEMBERS}; unpack it by hand if you trust it."
        )
    return infos


def _unpacked(archive: Archive, info: zipfile.ZipInfo, path: str, scratch: Path) -> Path:
    if info.file_size > MAX_INNER_BYTES or info.file_size > MAX_INNER_RATIO * max(info.compress_size, 1 << 20):
        raise DataError(
            f"{path} would unpack from {info.compress_size / 2**20:.1f} MiB to {info.file_size / 2**30:.1f} GiB, which "
            "no download of a data set does; do not use this archive."
        )
    target = scratch / f"{info.CRC:08x}-{info.file_size}.zip"
    if not target.exists():
        entry = Entry(path, archive, info.filename, info.file_size, f"crc:{info.CRC:08x}")
        with atomic_path(target) as temporary, explained_disk_errors(target):
            try:
                with entry.open(limit=MAX_INNER_BYTES) as packed, temporary.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked, 1 << 20)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise DataError(f"{path} is damaged or cut off ({error}); download it again.") from error
    return target


def _refuse_unsafe(file: str, info: zipfile.ZipInfo) -> None:
    name = info.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        raise DataError(f"{file}: member '{name}' points outside the archive; do not use this file.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DataError(f"{file}: member '{name}' is a link; unpack the archive by hand if you trust it.")
