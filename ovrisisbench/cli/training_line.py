"""The live line of a training: step, loss, learning rate, time left."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from ovrisisbench.cli.output import progress_bars
from ovrisisbench.train.engine import TrainReport

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ovrisisbench.evaluate.metrics import Metrics
    from ovrisisbench.train.step import Step

__all__ = ["live_report"]

_WINDOW = 20
"""Steps whose median loss is shown."""


class _LiveReport(TrainReport):
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._losses: deque[float] = deque(maxlen=_WINDOW)

    def start(self, step: int, iterations: int) -> None:
        if step:
            self._progress.console.print(f"going on after step {step}")
        self._task = self._progress.add_task("", total=iterations, completed=step)

    def step(self, done: int, step: Step) -> None:
        self._losses.append(step.loss)
        if self._task is not None:
            words = f"loss {median(self._losses):.4f}  lr {step.lr:.3g}"
            self._progress.update(self._task, completed=done, description=words)

    def evaluated(self, step: int, metrics: Metrics) -> None:
        figures = "  ".join(
            f"{name} {'undefined' if value is None else format(100 * value, '.2f')}"
            for name, value in (("mIoU", metrics.miou), ("mACC", metrics.macc), ("fwIoU", metrics.fwiou))
        )
        self._progress.console.print(f"step {step}: {figures} on the test split", soft_wrap=True)

    def saved(self, path: Path) -> None:
        self._progress.console.print(f"wrote {path}", soft_wrap=True)


@contextmanager
def live_report(*, quiet: bool) -> Iterator[TrainReport]:
    """Show a training on standard error while what stands inside runs; ``quiet`` for nothing at all."""
    with progress_bars(quiet=quiet) as progress:
        yield _LiveReport(progress)
