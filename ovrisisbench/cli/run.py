"""``ovrisis-bench run``: measure a model on prepared data sets."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.benchmark import Loading, RunReport, run
from ovrisisbench.catalog.training_sets import is_outside
from ovrisisbench.cli.loading import loading_options
from ovrisisbench.cli.output import (
    console,
    data_option,
    json_option,
    keep_label_maps_option,
    listed,
    print_json,
    progress_bars,
    results_option,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ovrisisbench.records import Record

__all__ = ["ProgressReport", "command", "record_line"]


class ProgressReport(RunReport):
    """Shows a bar for each data set on standard error, and a line for each record."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self.warnings: list[str] = []
        """All of them, for the JSON."""

    def note(self, sentence: str) -> None:
        """Print it."""
        self._progress.console.print(f"note: {sentence}", soft_wrap=True, markup=False)

    def start(self, dataset: str, images: int) -> None:
        """Begin a new bar."""
        self._task = self._progress.add_task(dataset, total=images)

    def progress(self, finished: int, wanted: int) -> None:
        """Move the bar; under torchrun it shows this process's share."""
        if self._task is not None:
            self._progress.update(self._task, completed=finished, total=wanted)

    def replace(self, old: Record, new: Record) -> None:
        """Warn that a repetition gave other counts."""
        self._progress.console.print(
            f"warning: an earlier record of the same run had other counts (mIoU {_percent(old.metrics.miou)} on "
            f"{old.run.device}, now {_percent(new.metrics.miou)} on {new.run.device}); it is replaced",
            soft_wrap=True,
        )

    def finish(self, record: Record, path: Path) -> None:
        """Print the figures."""
        self._progress.console.print(record_line(record, path), soft_wrap=True)

    def warn(self, sentence: str) -> None:
        """Print it, and keep it."""
        self.warnings.append(sentence)
        self._progress.console.print(f"warning: {sentence}", soft_wrap=True, markup=False)


@click.command(name="run")
@click.option("--model", required=True, help="Name of a model (see 'ovrisis-bench models'), or file.py:Class.")
@loading_options
@click.option(
    "--train-set",
    help="What the weights were trained on: a training set of the protocol such as dlrsd, coco-stuff, landdiscover50k, "
    "or other:NAME; may be left out where the card of the checkpoint says it.",
)
@click.option(
    "--datasets",
    default="all",
    show_default=True,
    help="Data sets to measure on, separated by commas; all = every one of the protocol that is prepared.",
)
@data_option
@results_option
@click.option(
    "--protocol",
    help="Name of a protocol, or its YAML file; +DATASET:VARIANT tests another variant. Default: ovrisisbench-v1, or "
    "the only other protocol that has the training set named.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Measure only so many images, evenly spread over the data set; the record says so and is not ranked.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Images handed to the model at once; changes no figure.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="On a CPU: images in flight at once, one thread each; default: the cores; changes no figure.",
)
@keep_label_maps_option
@click.option(
    "--keep-cost-maps",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Keep the cost maps of N images of each data set beside its record (the worst, the middle, the best); only "
    "models with a cost volume have any.",
)
@json_option
def command(
    *,
    model: str,
    loading: Loading,
    train_set: str | None,
    datasets: str,
    data: Path,
    results: Path,
    protocol: str | None,
    limit: int | None,
    batch_size: int,
    threads: int | None,
    keep_label_maps: bool,
    keep_cost_maps: int,
    as_json: bool,
) -> None:
    """Measure a model on prepared data sets and write a record for each.

    Interrupted, it goes on where it stopped when started again. Started by
    torchrun, its processes share the images.
    """
    keys = None if datasets == "all" else listed(datasets)
    quiet = as_json or os.environ.get("RANK", "0") != "0"
    with progress_bars(quiet=quiet) as progress:
        report = ProgressReport(progress)
        records = run(
            model,
            train_set=train_set,
            datasets=keys,
            data=data,
            results=results,
            protocol=protocol,
            limit=limit,
            batch_size=batch_size,
            threads=threads,
            label_maps=keep_label_maps,
            cost_maps=keep_cost_maps,
            command=("ovrisis-bench", *sys.argv[1:]),
            report=report,
            **loading,
        )
    if as_json and records:
        found = [{**record.model_dump(mode="json"), "stem": record.stem} for record in records]
        print_json({"records": found, "warnings": report.warnings})
    elif records:
        console().print(
            f"{len(records)} record(s) in {results}; the table: ovrisis-bench leaderboard --results {results}"
        )


def _percent(value: float | None) -> str:
    from ovrisisbench.leaderboard.numbers import percent, percent_text

    return "undefined" if value is None else percent_text(percent(value))


def record_line(record: Record, path: Path) -> str:
    """Return what one record says, in two or three lines."""
    metrics = record.metrics
    classes = f"{metrics.classes_in_miou} of {metrics.num_classes} classes"
    marks = [
        word
        for word, is_so in (
            ("untrained weights", record.model.weights == "untrained"),
            (f"{record.dataset.images} of {record.dataset.images_total} images", record.dataset.limited),
            ("partial data", record.dataset.partial),
        )
        if is_so
    ]
    return (
        f"{record.dataset.key}: mIoU {_percent(metrics.miou)}  mACC {_percent(metrics.macc)}  "
        f"fwIoU {_percent(metrics.fwiou)} ({classes}; protocol {record.protocol.name} {record.protocol.id})"
        + (f" - {', '.join(marks)}" if marks else "")
        + _seen_line(record)
        + f"\n  {path}"
    )


def _seen_line(record: Record) -> str:
    """Say in a line of its own how many test images training has seen; nothing for a model that was not trained."""
    if record.model.train_set is None:
        return ""
    seen = record.dataset.seen_in_training
    if seen is None:
        outside = is_outside(record.model.train_set)
        where = f"{record.model.train_set} {'has no card' if outside else 'is not prepared here with its splits'}"
        return f"\n  how many test images were seen in training is unknown: {where}"
    kinds = ((seen.by_split, "of its split"), (seen.exact, "with equal pixels"), (seen.near, "alike"))
    found = ", ".join(f"{count:,} {words}" for count, words in kinds if count)
    least = "at least " if seen.train_partial else ""
    fate = "seen in training, and left out" if seen.left_out else "seen in training"
    return f"\n  {least}{seen.images:,} of {seen.of:,} test images were {fate}" + (f" ({found})" if found else "")
