"""``ovrisis-bench score``: count predictions that were made elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import (
    console,
    data_option,
    json_option,
    keep_label_maps_option,
    print_json,
    progress_bars,
    results_option,
)

if TYPE_CHECKING:
    from ovrisisbench.scoring.value_names import Values

__all__ = ["command"]


@click.command(name="score")
@click.option(
    "--predictions",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with one PNG, TIFF, NPZ or NPY file for each image; the stem of a file is the id of its image.",
)
@click.option("--dataset", required=True, help="Data set, which must be prepared.")
@click.option("--model-name", required=True, help="Name of the model as tables shall print it.")
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    help="YAML or JSON file: index or colour -> class name. Default: indices in the order of the data set's "
    "vocabulary, and the colours of its legend.",
)
@click.option(
    "--values",
    type=click.Choice(["auto", "index", "colour"]),
    default="auto",
    show_default=True,
    help="Whether palette pictures mean their indices or their colours; auto: indices.",
)
@click.option(
    "--train-set",
    help="What the model was trained on: a training set of the protocol such as dlrsd, coco-stuff, landdiscover50k, "
    "other:NAME, or none. Without it the row says 'an unstated set'.",
)
@click.option(
    "--backbone", default="unstated", show_default=True, help="Backbone of the model, such as vit-b, for the table."
)
@click.option("--source", metavar="TEXT", help="What made the predictions, in words, for the record.")
@click.option(
    "--protocol",
    help="Name of a protocol, or its YAML file; +DATASET:VARIANT tests another variant. Default: ovrisisbench-v1, or "
    "the only other protocol that has the training set named or tests the data set.",
)
@data_option
@results_option
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Go on when images have no file; the record is marked as partial and not ranked.",
)
@click.option("--allow-extra", is_flag=True, help="Leave files out of account that belong to no image.")
@keep_label_maps_option
@json_option
def command(
    *,
    predictions: Path,
    dataset: str,
    model_name: str,
    vocabulary: Path | None,
    values: Values,
    train_set: str | None,
    backbone: str,
    source: str | None,
    protocol: str | None,
    data: Path,
    results: Path,
    allow_missing: bool,
    allow_extra: bool,
    keep_label_maps: bool,
    as_json: bool,
) -> None:
    """Score label maps or class scores that were made elsewhere, by anything.

    Counts them by the rules and the code of 'run' and writes an ordinary
    record, marked as scored predictions. No model and no torch are needed.
    """
    from ovrisisbench.cli.run import record_line
    from ovrisisbench.records import record_path
    from ovrisisbench.scoring import ScoreReport, score

    with progress_bars(quiet=as_json) as bars:
        task = bars.add_task(dataset, total=None)

        class Shown(ScoreReport):
            def note(self, sentence: str) -> None:
                bars.console.print(f"note: {sentence}", soft_wrap=True, markup=False)

            def progress(self, finished: int, wanted: int) -> None:
                bars.update(task, completed=finished, total=wanted)

        record = score(
            predictions,
            dataset,
            model_name=model_name,
            vocabulary=vocabulary,
            values=values,
            train_set=train_set,
            backbone=backbone,
            source=source,
            protocol=protocol,
            data=data,
            results=results,
            allow_missing=allow_missing,
            allow_extra=allow_extra,
            label_maps=keep_label_maps,
            command=("ovrisis-bench", *sys.argv[1:]),
            report=Shown(),
        )
    if as_json:
        print_json({**record.model_dump(mode="json"), "stem": record.stem})
        return
    console().print(record_line(record, record_path(record, results)), soft_wrap=True, markup=False)
    console().print(f"The table: ovrisis-bench leaderboard --results {results}", soft_wrap=True, markup=False)
