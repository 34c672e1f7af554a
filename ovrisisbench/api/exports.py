"""Where a table shall be written to: one file, or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["Export", "checked_exports"]

Export = Path | str | Sequence[Path | str]
"""One file or several; the suffix says the form."""


def checked_exports(export: Export, check: Callable[[Path], None]) -> list[Path]:
    """Return the files after each was checked, so that a wrong suffix costs no work.

    Args:
        export: as given.
        check: raises for a file name of no known form.
    """
    given = [export] if isinstance(export, Path | str) else export
    paths = [Path(one) for one in given]
    for path in paths:
        check(path)
    return paths
