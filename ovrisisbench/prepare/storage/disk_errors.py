"""A full disk, as one sentence: HDF5 reports it in the middle of long texts."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ovrisisbench.errors import DataError

__all__ = ["explained_disk_errors"]

_FULL: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "the file would become larger than this system allows (see 'ulimit -f')",
}


@contextmanager
def explained_disk_errors(path: Path) -> Iterator[None]:
    """Turn a failed write into a sentence that names ``path``; other errors pass.

    Raises:
        DataError: no space, no quota, or a limit on the size of files.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise DataError(
            f"{path} could not be written: {reason}; make room or choose another folder with --to, and start the "
            "same command again: what is finished is kept."
        ) from error


def _reason(error: BaseException | None) -> str | None:
    """Look for a known error number in an exception, its text (HDF5), and what it came from."""
    while error is not None:
        number = getattr(error, "errno", None)
        if number in _FULL:
            return _FULL[number]
        written = re.search(r"errno = (\d+)", str(error))
        if written and int(written[1]) in _FULL:
            return _FULL[int(written[1])]
        error = error.__cause__ or error.__context__
    return None
