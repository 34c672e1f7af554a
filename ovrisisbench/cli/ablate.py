"""``ovrisis-bench ablate``: train a model without some of its parts, and show what they are worth."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.adapter.precision import PRECISIONS
from ovrisisbench.cli.loading import clip_weights_given, name_value_pairs, weights_given
from ovrisisbench.cli.output import console, data_option, json_option, listed, print_json

if TYPE_CHECKING:
    from ovrisisbench.adapter.interface import Precision
    from ovrisisbench.benchmark.ablations import AblationReport, Standing

__all__ = ["command"]

_FILE = click.Path(path_type=Path)


@click.command(name="ablate")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--to", type=_FILE, default=Path("ablations"), show_default=True, help="Folder for weights and records.")
@click.option(
    "--seeds",
    default="3",
    show_default=True,
    metavar="N|LIST",
    help="Number of seeds, counted from 0, or a list such as 0,1,4.",
)
@click.option("--iterations", type=click.IntRange(min=1), help="Steps of every training; default: the recipe's.")
@click.option("--model", help="Name of a model; may be left out where only one has ablations.")
@click.option("--backbone", default="tiny", show_default=True, help="Backbone of the model.")
@click.option(
    "--train-set",
    "train_sets",
    help="Training sets, separated by commas. Default: mini-dlrsd for tiny, those of the paper for other backbones.",
)
@click.option(
    "--test-sets",
    help="Data sets over which the mean is taken, separated by commas. Default: those of the paper's table, or the "
    "mini ones drawn after them.",
)
@data_option
@click.option(
    "--clip-weights",
    metavar="openai|FILE",
    help="CLIP to start from, as in 'train'. Default: openai, and for tiny the one that comes with the package.",
)
@click.option(
    "--weights",
    multiple=True,
    metavar="NAME=FILE",
    help="File of another pre-trained encoder, as in 'train'; natural_dino is the one of the paper's table 3; may be "
    "repeated.",
)
@click.option("--untrained", is_flag=True, help="Start encoders without a file at random, to try the machinery.")
@click.option("--config", type=_FILE, help="YAML file with fields of the recipe that differ from the official one.")
@click.option("--recipe", multiple=True, metavar="NAME=VALUE", help="Change one field of the recipe; may be repeated.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a setting of the model in every row that does not turn it itself; may be repeated.",
)
@click.option("--protocol", help="Name of a protocol, or its YAML file. Default: as in 'train'.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Measure only so many images of each data set, evenly spread over it; the table says so.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--precision", type=click.Choice(PRECISIONS), help="Arithmetic of products in training, as in 'train'.")
@click.option("--workers", type=click.IntRange(min=0), help="Processes that load pictures, as in 'train'.")
@click.option("--threads", type=click.IntRange(min=1), help="On a CPU: threads; default: the cores.")
@click.option("--dry-run", is_flag=True, help="Only show what would be trained, and what is done already.")
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the tables to a .csv, .json, .md or .tex file; may be given more than once.",
)
@json_option
def command(
    *,
    names: tuple[str, ...],
    to: Path,
    seeds: str,
    iterations: int | None,
    model: str | None,
    backbone: str,
    train_sets: str | None,
    test_sets: str | None,
    data: Path,
    clip_weights: str | None,
    weights: tuple[str, ...],
    untrained: bool,
    config: Path | None,
    recipe: tuple[str, ...],
    settings: tuple[str, ...],
    protocol: str | None,
    limit: int | None,
    device: str,
    precision: Precision | None,
    workers: int | None,
    threads: int | None,
    dry_run: bool,
    exports: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Train a model with parts of it switched off or changed, and show what they are worth.

    NAME is components, pretrained, fusion, layers or finetuning (tables 2 to 6 of the RSKT-Seg paper), several of
    them, or all.

    What the folder holds already is not done again. Started several times with the same folder, the processes share
    the trainings.
    """
    from ovrisisbench.benchmark.ablations import AblateOptions, ablate, standing
    from ovrisisbench.benchmark.training import TrainOptions
    from ovrisisbench.leaderboard.ablation_export import (
        ablation_json,
        check_ablation_export,
        export_ablations,
        print_ablations,
    )

    for path in exports:
        check_ablation_export(path)
    changes = name_value_pairs(recipe, "--recipe")
    if iterations is not None:
        if "iterations" in changes:
            raise click.BadParameter("say it once, here or by --recipe iterations=.", param_hint="--iterations")
        changes["iterations"] = str(iterations)
    options = AblateOptions(
        model=model,
        train_sets=_keys(train_sets),
        test_sets=_keys(test_sets),
        seeds=_seeds(seeds),
        data=data,
        protocol=protocol,
        limit=limit,
        training=TrainOptions(
            backbone=backbone,
            clip_weights=clip_weights_given(clip_weights),
            weights=weights_given(weights),
            untrained=untrained,
            config=config,
            recipe=changes,
            settings=name_value_pairs(settings, "--set"),
            device=device,
            precision=precision,
            workers=workers,
            threads=threads,
        ),
    )
    if dry_run:
        _show(standing(names, to=to, options=options), as_json=as_json)
        return
    tables = ablate(
        names, to=to, options=options, command=("ovrisis-bench", *sys.argv[1:]), report=_report(quiet=as_json)
    )
    for path in exports:
        export_ablations(tables, path)
        click.echo(f"Wrote {path}", err=True)
    if as_json:
        click.echo(ablation_json(tables), nl=False)
    else:
        print_ablations(tables, console())


def _seeds(text: str) -> tuple[int, ...]:
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is neither a number of seeds nor a list such as 0,1,4.", param_hint="--seeds"
        ) from error
    return tuple(numbers) if "," in text else tuple(range(numbers[0] if numbers else 0))


def _keys(text: str | None) -> list[str] | None:
    return None if text is None else listed(text)


def _show(plan: Sequence[Standing], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "trainings": [
                    {
                        "name": found.training.name,
                        "state": found.state,
                        "train_set": found.training.train_set,
                        "seed": found.training.options.seed,
                        "settings": found.training.settings,
                        "test_sets": list(found.training.test_sets),
                        "rows": list(found.training.rows),
                    }
                    for found in plan
                ]
            }
        )
        return
    for found in plan:
        training = found.training
        click.echo(f"{training.name}: {found.state}; {training.settings}")
        click.echo(f"  for {'; '.join(training.rows)}; tested on {', '.join(training.test_sets)}")
    rows = sum(len(found.training.rows) for found in plan)
    left = sum(found.state != "done" for found in plan)
    click.echo(f"{len(plan)} training(s) for {rows} row(s) and seed(s); {left} not done yet")


def _report(*, quiet: bool) -> AblationReport:
    from rich.console import Console
    from rich.progress import Progress

    from ovrisisbench.benchmark.ablations import AblationReport
    from ovrisisbench.cli.run import ProgressReport
    from ovrisisbench.cli.training_line import live_report

    class _Live(AblationReport):
        def begin(self, training: Any, done: int, total: int) -> None:  # noqa: ANN401 - imported late
            if not quiet:
                click.echo(f"[{done} of {total} done] {training.name}: {training.settings}", err=True)

        def wait(self, trainings: int) -> None:
            if not quiet:
                click.echo(f"waiting for {trainings} training(s) that other processes have in hand", err=True)

        @contextmanager
        def training(self) -> Iterator[Any]:
            with live_report(quiet=quiet) as report:
                yield report

        @contextmanager
        def measuring(self) -> Iterator[Any]:
            with Progress(console=Console(stderr=True, quiet=quiet), transient=True) as progress:
                yield ProgressReport(progress)

    return _Live()
