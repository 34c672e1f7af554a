"""The log of a training: one JSON line a step and one an evaluation, which survive a kill."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ovrisisbench.atomic import write_text

__all__ = ["ProgressLog", "read_log"]

Line = dict[str, Any]


class ProgressLog:
    """Appends to a file; what an interrupted start had logged after its last checkpoint is dropped.

    Args:
        path: of the file.
        start: step from which training goes on, counted from 0.
    """

    def __init__(self, path: Path, *, start: int) -> None:
        kept = [line for line in read_log(path) if line["step"] <= start]
        self.evaluated = {line["step"] for line in kept if "miou" in line}
        write_text(path, "".join(_text(line) for line in kept))
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, **fields: object) -> None:
        """Write one line, so that it survives a kill right after this call."""
        self._file.write(_text(fields))
        self._file.flush()


def read_log(path: Path) -> list[Line]:
    """Return the lines of a log in order; none if there is no file, and not the half one that a kill may leave."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _text(fields: Line) -> str:
    return json.dumps(fields) + "\n"
