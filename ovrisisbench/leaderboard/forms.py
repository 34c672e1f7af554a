"""Which form a table is written in: the suffix of the file says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from ovrisisbench.atomic import write_text
from ovrisisbench.errors import RecordError

__all__ = ["Forms"]

Table = TypeVar("Table")


class Forms(Generic[Table]):
    """The forms of one kind of table.

    Args:
        by_suffix: suffix -> what makes the text; one that another one ends with stands behind it.
    """

    def __init__(self, by_suffix: Mapping[str, Callable[[Table], str]]) -> None:
        self._by_suffix = by_suffix

    def check(self, path: Path) -> None:
        """Refuse a file name whose suffix no form goes with.

        Raises:
            RecordError: lists the suffixes there are.
        """
        self._form(path)

    def write(self, table: Table, path: Path) -> None:
        """Write a table in the form that the suffix of the file says, atomically.

        Raises:
            RecordError: as :meth:`check`.
            OvrisisBenchError: the file cannot be written.
        """
        write_text(path, self._form(path)(table))

    def _form(self, path: Path) -> Callable[[Table], str]:
        for suffix, form in self._by_suffix.items():
            if path.suffix and path.name.lower().endswith(suffix):
                return form
        raise RecordError(
            f"{path}: there is no export to '{path.suffix}' files; use one of the suffixes "
            f"{', '.join(self._by_suffix)}."
        )
