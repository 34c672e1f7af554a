"""The loop of a training: steps, log, checkpoints, evaluations, and where to go on after an interruption."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.adapter.own_files import WeightsCard, write_weights
from ovrisisbench.adapter.precision import matmul_arithmetic
from ovrisisbench.adapter.recipe import Recipe
from ovrisisbench.adapter.training import Training
from ovrisisbench.atomic import write_text
from ovrisisbench.evaluate.processes import Processes
from ovrisisbench.train.checkpoints import FINAL, SavedState, remove_states, save_state, weights_path
from ovrisisbench.train.curves import curves_svg
from ovrisisbench.train.evaluation import measured
from ovrisisbench.train.loading import Crops, batches
from ovrisisbench.train.progress_log import ProgressLog, read_log
from ovrisisbench.train.step import Step, Stepper

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.evaluate.metrics import Metrics
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["CURVES", "LOG", "Course", "TestSplit", "TrainReport", "follow"]

LOG = "log.jsonl"
CURVES = "curves.svg"
_EVALUATION = ".evaluation"


class TrainReport:
    """What a caller may want to hear, in the first process; override what is of interest."""

    def start(self, step: int, iterations: int) -> None:
        """Be told that training begins, or goes on, after ``step`` steps."""

    def step(self, done: int, step: Step) -> None:
        """Be told what a step has given."""

    def evaluated(self, step: int, metrics: Metrics) -> None:
        """Be told what an evaluation has given."""

    def saved(self, path: Path) -> None:
        """Be told that weights were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSplit:
    """What a training is measured on."""

    dataset: PreparedDataset
    pictures: Sequence[int]
    class_names: Sequence[str]
    convention: Convention


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that one training is made of."""

    training: Training
    crops: Crops
    recipe: Recipe
    card: WeightsCard
    """What weights files say of it; the number of steps is put in."""
    folder: Path
    identity: Mapping[str, Any]
    test: TestSplit | None = None
    """None where nothing is measured."""
    device: str = "cpu"
    precision: Precision = "float32"
    threads: int = 1
    """Of torch's operators on a CPU."""
    workers: int = 0
    """Processes that load pictures for this one."""
    processes: Processes = field(default_factory=Processes)
    report: TrainReport = field(default_factory=TrainReport)


def follow(course: Course, saved: SavedState | None) -> Path:
    """Train to the end and return the file of the final weights.

    Args:
        course: the training; its network holds the weights of ``saved``.
        saved: where it goes on; None for a beginning.

    Raises:
        TrainingError: a loss that is not finite; the last checkpoint stays.
        OvrisisBenchError: the folder cannot be written.
    """
    start = saved.step if saved else 0
    with matmul_arithmetic(course.precision, course.device):
        if course.device == "cpu":
            torch.set_num_threads(course.threads)
        else:
            torch.cuda.set_device(course.device)  # NCCL talks through the current device
        stepper = Stepper(
            course.training,
            course.recipe,
            device=course.device,
            precision=course.precision,
            processes=course.processes,
        )
        if saved:
            stepper.optimiser.load_state(saved.optimiser)
        if not course.processes.is_first:
            return _steps(course, stepper, start, None)
        with ProgressLog(course.folder / LOG, start=start) as log:
            course.report.start(start, course.recipe.iterations)
            path = _steps(course, stepper, start, log)
    write_text(course.folder / CURVES, curves_svg(read_log(course.folder / LOG)))
    remove_states(course.folder)
    return path


def _steps(course: Course, stepper: Stepper, start: int, log: ProgressLog | None) -> Path:
    recipe, processes = course.recipe, course.processes
    if start and _due(start, recipe.evaluate_every, recipe.iterations):
        missing = log is not None and start not in log.evaluated
        if any(processes.gather(missing)):  # a kill came between checkpoint and evaluation
            _evaluate(course, start, log)
    path = course.folder / FINAL
    stream = batches(course.crops, start=start, rank=processes.rank, count=processes.count, workers=course.workers)
    clock = time.perf_counter()
    for iteration, batch in enumerate(stream, start=start):
        torch.manual_seed(course.crops.stream.step_seed(iteration, processes.rank))
        step = stepper.step(batch, iteration)
        done = iteration + 1
        if log is not None:
            now = time.perf_counter()
            parts = {f"loss_{name}": value for name, value in step.losses.items()} if len(step.losses) > 1 else {}
            log.write(
                step=done,
                loss=step.loss,
                **parts,
                lr=step.lr,
                gradient_norm=step.gradient_norm,
                seconds=round(now - clock, 4),
            )
            course.report.step(done, step)
        final = done == recipe.iterations
        if final or _due(done, recipe.checkpoint_every, recipe.iterations):
            path = _save(course, stepper, done, final=final)
        if _due(done, recipe.evaluate_every, recipe.iterations):
            _evaluate(course, done, log)
        clock = time.perf_counter()
    return path


def _due(done: int, every: int, iterations: int) -> bool:
    return every > 0 and (done % every == 0 or done == iterations)


def _save(course: Course, stepper: Stepper, done: int, *, final: bool) -> Path:
    """Write weights, and what a resumption needs."""
    path = course.folder / FINAL if final else weights_path(course.folder, done)
    if course.processes.is_first:
        card = course.card.model_copy(update={"iterations": done})
        digest = write_weights(path, course.training.official_state(), card)
        if not final:
            save_state(
                course.folder,
                done,
                weights_digest=digest,
                identity=course.identity,
                optimiser=stepper.optimiser.state(),
            )
        course.report.saved(path)
    course.processes.gather(None)
    return path


def _evaluate(course: Course, done: int, log: ProgressLog | None) -> None:
    if course.test is None:
        return
    test = course.test
    metrics = measured(
        course.training,
        test.dataset,
        test.pictures,
        class_names=test.class_names,
        convention=test.convention,
        device=course.device,
        precision=course.precision,
        folder=course.folder / _EVALUATION,
        processes=course.processes,
    )
    if log is not None:
        log.write(step=done, miou=metrics.miou, macc=metrics.macc, fwiou=metrics.fwiou, pictures=len(test.pictures))
        course.report.evaluated(done, metrics)
