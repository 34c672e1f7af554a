"""Ablations: networks that differ in one switch, trained with several seeds and measured alike.

This is what ``ovrisis-bench ablate`` calls. Every row is trained by
:func:`ovrisisbench.benchmark.training.train` and measured by
:func:`ovrisisbench.benchmark.running.run`. Several processes may work on one
folder: each takes trainings that no other one has in hand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ovrisisbench.benchmark.ablation_plan import (
    AblateOptions,
    AblationPlan,
    PlannedBlock,
    PlannedTraining,
    plan_ablations,
)
from ovrisisbench.benchmark.inputs import open_prepared
from ovrisisbench.benchmark.running import RunReport, run
from ovrisisbench.benchmark.training import train
from ovrisisbench.benchmark.training_folder import FINAL
from ovrisisbench.errors import TrainingError
from ovrisisbench.leaderboard.ablation_table import AblationTable, MeasuredRow, ablation_block
from ovrisisbench.records import Record, read_records

if TYPE_CHECKING:
    from ovrisisbench.train.engine import TrainReport

__all__ = ["AblateOptions", "AblationReport", "Standing", "ablate", "standing"]

_TRAINED, _RESULTS = "trained", "results"

_PATIENCE = 2.0
"""Seconds between looks at trainings that other processes have in hand."""


class AblationReport:
    """What a caller of :func:`ablate` may want to hear; override what is of interest."""

    def begin(self, training: PlannedTraining, done: int, total: int) -> None:
        """Be told that a training is taken in hand, and how many of all are done."""

    def wait(self, trainings: int) -> None:
        """Be told, once, that the trainings that are left are in the hands of other processes."""

    @contextmanager
    def training(self) -> Iterator[TrainReport | None]:
        """Surround a training with what is told of its steps."""
        yield None

    @contextmanager
    def measuring(self) -> Iterator[RunReport | None]:
        """Surround a measurement with what is told of its images."""
        yield None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one training of a plan is."""

    training: PlannedTraining
    state: str
    """``to be trained``, ``begun``, ``to be measured`` or ``done``."""


def ablate(
    names: str | Sequence[str],
    *,
    to: Path | str = "ablations",
    options: AblateOptions | None = None,
    command: Sequence[str] = ("ovrisisbench.ablate",),
    report: AblationReport | None = None,
) -> list[AblationTable]:
    """Train and measure all rows of ablations, and return their tables.

    What the folder holds already is not done again; trainings that were
    interrupted go on from their last checkpoint. Call it in several processes
    with the same folder and they share the trainings.

    Args:
        names: of ablations, such as ``components``, or ``all``.
        to: folder; gets ``trained/`` with a folder for each training, and ``results/`` with the records.
        options: everything else.
        command: the words that started it, for weights files and records; folders are cut off.
        report: told of every step.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence; what is finished is kept.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError("Ablations share a folder, not a batch: start the same command several times, no torchrun.")
    options, report, to = options or AblateOptions(), report or AblationReport(), Path(to)
    names = [names] if isinstance(names, str) else names
    plan = plan_ablations(names, options)
    left, waiting = dict(plan.trainings), False
    measured: dict[str, list[Record]] = {}
    while left:
        before = len(left)
        for name, training in list(left.items()):
            with _taken(to, name) as taken:
                if not taken:
                    continue
                found = _records(training, options, to)
                if found is None:
                    waiting = False
                    report.begin(training, len(plan.trainings) - len(left), len(plan.trainings))
                    _finish(plan, training, options, to, command=command, report=report)
                    found = _records(training, options, to)
                measured[name] = found or []
                del left[name]
        if left and len(left) == before:
            if not waiting:
                report.wait(len(left))
            waiting = True
            time.sleep(_PATIENCE)
    return _tables(plan, measured, options)


def standing(names: Sequence[str], *, to: Path, options: AblateOptions | None = None) -> list[Standing]:
    """Say what :func:`ablate` would train and measure, and what is done already.

    Args:
        names: of ablations, or ``all``.
        to: the folder.
        options: everything else.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence.
    """
    options = options or AblateOptions()
    plan = plan_ablations(names, options)
    return [Standing(training, _state(training, options, to)) for training in plan.trainings.values()]


def _state(training: PlannedTraining, options: AblateOptions, to: Path) -> str:
    if _records(training, options, to) is not None:
        return "done"
    folder = to / _TRAINED / training.name
    if (folder / FINAL).is_file():
        return "to be measured"
    return "begun" if folder.is_dir() else "to be trained"


@contextmanager
def _taken(to: Path, name: str) -> Iterator[bool]:
    """Take a training in hand, unless another process has it; the system frees it should this process die."""
    folder = to / _TRAINED
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _finish(
    plan: AblationPlan,
    training: PlannedTraining,
    options: AblateOptions,
    to: Path,
    *,
    command: Sequence[str],
    report: AblationReport,
) -> None:
    chosen, protocol = training.options, options.protocol or training.rules.name
    with report.training() as train_report:
        weights = train(
            plan.info.name,
            train_set=training.train_set,
            to=to / _TRAINED / training.name,
            data=options.data,
            protocol=protocol,
            options=chosen,
            command=command,
            report=train_report,
        )
    there = {record.dataset.key for record in _fitting(training, options, to)}
    with report.measuring() as run_report:
        run(
            plan.info.name,
            train_set=training.train_set,
            datasets=[key for key in training.test_sets if key not in there],
            data=options.data,
            results=to / _RESULTS / training.name,
            protocol=protocol,
            limit=options.limit,
            threads=chosen.threads,
            command=command,
            report=run_report,
            backbone=plan.backbone,
            checkpoint=weights,
            device=chosen.device,
        )


def _records(training: PlannedTraining, options: AblateOptions, to: Path) -> list[Record] | None:
    """Return the records of a training, one for each test set; None while one is missing."""
    if not (to / _TRAINED / training.name / FINAL).is_file():
        return None
    by_key = {record.dataset.key: record for record in _fitting(training, options, to)}
    found = [by_key[key] for key in training.test_sets if key in by_key]
    return found if len(found) == len(training.test_sets) else None


def _fitting(training: PlannedTraining, options: AblateOptions, to: Path) -> list[Record]:
    """Return the records that were measured with the training's weights as is asked for now."""
    from ovrisisbench.adapter.checkpoints import file_digest

    folder = to / _RESULTS / training.name
    records = read_records(folder) if folder.is_dir() else []
    if not records:
        return []
    sha256 = file_digest(to / _TRAINED / training.name / FINAL)
    return [
        record
        for record in records
        if record.model.checkpoint is not None
        and record.model.checkpoint.sha256 == sha256
        and record.protocol.id == training.rules.id
        and record.dataset.key in training.test_sets
        and record.dataset.images == min(options.limit or record.dataset.images_total, record.dataset.images_total)
        and record.dataset.digest == open_prepared(training.rules, record.dataset.key, options.data).manifest.digest
    ]


def _tables(plan: AblationPlan, measured: dict[str, list[Record]], options: AblateOptions) -> list[AblationTable]:
    by_name: dict[str, list[PlannedBlock]] = {}
    for block in plan.blocks:
        by_name.setdefault(block.ablation, []).append(block)
    return [
        AblationTable(
            name=name,
            title=blocks[0].definition.title,
            model=plan.info.title,
            backbone=plan.backbone,
            training=_training_words(plan),
            published=blocks[0].published,
            blocks=tuple(
                ablation_block(
                    [
                        MeasuredRow(
                            switches=row.row.switches,
                            seeds={
                                seed: measured[training]
                                for seed, training in zip(options.seeds, row.trainings, strict=False)
                            },
                            missing=row.missing,
                        )
                        for row in block.rows
                    ],
                    published=block.published,
                    train_set=block.train_set,
                    rules=block.rules,
                    test_sets=block.test_sets,
                    reference=block.definition.reference,
                )
                for block in blocks
            ),
            notes=blocks[0].definition.notes,
        )
        for name, blocks in by_name.items()
    ]


def _training_words(plan: AblationPlan) -> str:
    """Say what all rows have in common: the recipe's changes, and which encoders did not start from a file."""
    shared = plan.shared
    changes = {**shared.recipe, **shared.settings}
    words = " ".join(f"{name}={value}" for name, value in changes.items()) or "official recipe"
    if shared.config is not None:
        words = f"{shared.config.name} {words}"
    used = {path for training in plan.trainings.values() for path in training.options.weights.values()}
    clip = shared.clip_weights is not None or not (plan.backbone == "tiny" or shared.untrained)
    # By the name that was asked for: two rows may give one encoder different files.
    files = sorted(name for name, path in shared.weights.items() if path in used)
    started = [name for name in ("CLIP" if clip else "", *files) if name]
    if shared.checkpoint is not None:
        return f"trained with {words}, from a whole file of weights"
    return f"trained with {words}, from files of {', '.join(started) or 'no encoder, so all start at random'}"
