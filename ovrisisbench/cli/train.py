"""``ovrisis-bench train``: train a model by its official recipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.adapter.precision import PRECISIONS
from ovrisisbench.benchmark.training import TrainOptions, train
from ovrisisbench.catalog.protocols import DEFAULT_PROTOCOL
from ovrisisbench.cli.loading import clip_weights_given, name_value_pairs, weights_given
from ovrisisbench.cli.output import console, data_option

if TYPE_CHECKING:
    from ovrisisbench.adapter.interface import Precision

__all__ = ["command"]

_FILE = click.Path(path_type=Path)


@click.command(name="train")
@click.option("--model", required=True, help="Name of a model (see 'ovrisis-bench models'), or file.py:Class.")
@click.option("--backbone", help="Backbone of the model; may be left out where it has only one (tiny not counted).")
@click.option("--train-set", required=True, help="Training set of the protocol, such as dlrsd; it must be prepared.")
@click.option(
    "--clip-weights",
    metavar="openai|FILE",
    help="CLIP to start from: openai fetches the one of the official code, FILE is OpenAI's or open_clip's. Default: "
    "openai, and for tiny the one that comes with the package.",
)
@click.option(
    "--weights",
    multiple=True,
    metavar="NAME=FILE",
    help="File of another pre-trained encoder (see 'ovrisis-bench models NAME'); may be repeated.",
)
@click.option("--checkpoint", type=_FILE, help="Fine-tune from a whole file of the model instead.")
@click.option("--untrained", is_flag=True, help="Start encoders without a given file at random, to try the machinery.")
@click.option("--config", type=_FILE, help="YAML file with fields of the recipe that differ from the official one.")
@click.option(
    "--recipe",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change one field of the recipe (see docs/training.md), after --config; may be repeated.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a setting of the model (see 'ovrisis-bench models NAME'); may be repeated.",
)
@data_option
@click.option("--to", type=_FILE, help="Folder for weights, log and curves; default: trained/MODEL_BACKBONE_TRAIN-SET.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in the folder, if there is one.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of start values, order and augmentation.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="Arithmetic of products; default: tf32 on a GPU, as in the official codes, and float32 on a CPU.",
)
@click.option(
    "--protocol",
    help=f"Name of a protocol, or its YAML file; it says which variant and class names are trained with. Default: "
    f"{DEFAULT_PROTOCOL}, or the only one that has the training set.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes that load pictures; default: none on a CPU, up to eight on a GPU; changes no weight.",
)
@click.option("--threads", type=click.IntRange(min=1), help="On a CPU: threads of torch; default: the cores.")
def command(
    *,
    model: str,
    backbone: str | None,
    train_set: str,
    clip_weights: str | None,
    weights: tuple[str, ...],
    checkpoint: Path | None,
    untrained: bool,
    config: Path | None,
    recipe: tuple[str, ...],
    settings: tuple[str, ...],
    data: Path,
    to: Path | None,
    resume: bool,
    seed: int,
    device: str,
    precision: Precision | None,
    protocol: str | None,
    workers: int | None,
    threads: int | None,
) -> None:
    """Train a model by its official recipe, on the training split of a prepared data set.

    Writes weights that 'run' reads, a log and curves. Started by torchrun, its processes share every batch.
    """
    from ovrisisbench.cli.training_line import live_report

    options = TrainOptions(
        backbone=backbone,
        clip_weights=clip_weights_given(clip_weights),
        weights=weights_given(weights),
        checkpoint=checkpoint,
        untrained=untrained,
        config=config,
        recipe=name_value_pairs(recipe, "--recipe"),
        settings=name_value_pairs(settings, "--set"),
        seed=seed,
        device=device,
        precision=precision,
        resume=resume,
        workers=workers,
        threads=threads,
    )
    is_first = os.environ.get("RANK", "0") == "0"
    with live_report(quiet=not is_first) as report:
        try:
            path = train(
                model,
                train_set=train_set,
                to=to,
                data=data,
                protocol=protocol,
                options=options,
                command=("ovrisis-bench", *sys.argv[1:]),
                report=report,
            )
        except KeyboardInterrupt:
            click.echo("interrupted; the same command with --resume goes on from the last checkpoint", err=True)
            sys.exit(130)
    if is_first:
        console().print(
            f"{path}; measure it: ovrisis-bench run --model {model}{f' --backbone {backbone}' if backbone else ''} "
            f"--train-set {train_set} --checkpoint {path}",
            soft_wrap=True,
        )
