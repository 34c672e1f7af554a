"""The journal of an unfinished evaluation: every finished image is on disk, so any interruption can be resumed.

One JSON line an image, one file a process. A line that a killed process left
half-written is dropped on the next start. The folder's name is the identity
of the evaluation, so that a journal is never continued with other weights,
data or settings.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from filelock import FileLock, Timeout

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.image_counts import ImageCounts

__all__ = ["Journal", "remove_journals"]


class Journal:
    """One process's part of a journal; a context manager that holds a lock on it.

    Args:
        folder: shared by all processes of the evaluation; created.
        rank: number of this process.

    Raises:
        EvaluationError: on entering, when another run is writing the same journal.
    """

    def __init__(self, folder: Path, *, rank: int = 0) -> None:
        self._folder = folder
        self._path = folder / f"finished-{rank}.jsonl"
        self._lock = FileLock(folder / f"finished-{rank}.lock")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise EvaluationError(
                f"Another run is measuring the same thing right now (it holds {self._lock.lock_file}); wait for it."
            ) from error
        _drop_half_line(self._path)
        self._file = self._path.open("ab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def finished(self) -> dict[str, ImageCounts]:
        """Return what all processes, of this and of interrupted starts, have finished, by image id."""
        images = (
            _from_line(line)
            for path in sorted(self._folder.glob("finished-*.jsonl"))
            for line in path.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        )
        return {image.image_id: image for image in images}

    def append(self, image: ImageCounts) -> None:
        """Write one finished image, so that it survives a kill right after this call."""
        if self._file is None:
            raise ValueError("the journal is not open")
        line = {"id": image.image_id, "cells": image.cells.tolist(), "ms": image.milliseconds}
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()


def remove_journals(folder: Path) -> None:
    """Remove the journal of an evaluation whose record has been written."""
    shutil.rmtree(folder, ignore_errors=True)


def _drop_half_line(path: Path) -> None:
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _from_line(line: bytes) -> ImageCounts:
    content = json.loads(line)
    cells = np.asarray(content["cells"], np.int64).reshape(-1, 3)
    return ImageCounts(content["id"], cells, content["ms"])
