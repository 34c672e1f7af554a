"""Writing files so that a killed process never leaves half of one.

A file is written under a temporary name in its own folder, flushed to disk
and renamed; readers see the old file or the new one, nothing in between.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ovrisisbench.errors import OvrisisBenchError

__all__ = ["atomic_path", "write_bytes", "write_text"]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and rename it to ``path`` on success.

    The folder is created. On any exception the temporary file is removed and
    ``path`` keeps its old content.

    Args:
        path: the file to write.

    Raises:
        OvrisisBenchError: the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically; see :func:`atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write ``content`` to ``path`` as UTF-8, line ends unchanged, atomically."""
    write_bytes(path, content.encode())


def _sync_folder(folder: Path) -> None:
    # Some file systems (and Windows) cannot open or sync a folder; the rename itself is still atomic there.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _explained(error: OSError, path: Path) -> OvrisisBenchError | OSError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OvrisisBenchError(
            f"The disk is full: {path} could not be written and nothing was changed; "
            "free some space or choose another folder."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
        return OvrisisBenchError(f"{path} cannot be written ({error.strerror}); choose another folder.")
    return error
