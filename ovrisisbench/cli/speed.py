"""``ovrisis-bench speed``: time models on this machine, and show the table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.adapter.precision import PRECISIONS
from ovrisisbench.benchmark.speed import SpeedReport
from ovrisisbench.cli.output import listed

if TYPE_CHECKING:
    from ovrisisbench.adapter.interface import Precision
    from ovrisisbench.records.speed import SpeedRecord

__all__ = ["command"]


class _Printed(SpeedReport):
    """Says on standard error what happens."""

    def start(self, model: str, backbone: str) -> None:
        """Name the model."""
        click.echo(f"timing {model} {backbone} ...", err=True)

    def finish(self, record: SpeedRecord, path: Path) -> None:
        """Print the mean."""
        click.echo(f"  {record.image_ms.mean:,.1f} ms an image  {path}", err=True)

    def fail(self, model: str, problem: str) -> None:
        """Print why a model is missing in the table."""
        click.echo(f"  {model} is left out: {problem}", err=True)


@click.command(name="speed")
@click.option(
    "--models",
    default="all",
    show_default=True,
    help="Models to time, separated by commas; all = every installed one with such a backbone, floors left out.",
)
@click.option(
    "--backbone",
    default="vit-b",
    show_default=True,
    help="Backbone; a model without it takes its one of the same size.",
)
@click.option(
    "--size", type=click.IntRange(min=32), default=640, show_default=True, help="Side of the drawn images in pixels."
)
@click.option("--classes", type=click.IntRange(1, 255), default=8, show_default=True, help="Classes in the vocabulary.")
@click.option("--images", type=click.IntRange(min=1), default=10, show_default=True, help="Images that are counted.")
@click.option(
    "--warm-up", type=click.IntRange(min=0), default=2, show_default=True, help="Images before them, not counted."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="[MODEL:]NAME=VALUE",
    help="Change a setting, of every model that has it or of one; may be repeated.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--precision", type=click.Choice(PRECISIONS), default="float32", show_default=True, help="Arithmetic of products."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Folder for records.",
)
@click.option("--stored", is_flag=True, help="Time nothing; show the records that the folder holds.")
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the table to a .csv, .json, .md or .tex file; may be given more than once.",
)
@click.option("--published/--no-published", default=True, show_default=True, help="Show the paper's table as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    *,
    models: str,
    backbone: str,
    size: int,
    classes: int,
    images: int,
    warm_up: int,
    settings: tuple[str, ...],
    device: str,
    precision: Precision,
    results: Path,
    stored: bool,
    exports: tuple[Path, ...],
    published: bool,
    as_json: bool,
) -> None:
    """Time models on this machine and show table 7: milliseconds, parameters, operations, memory.

    Images are drawn and weights random, so neither data nor checkpoints are
    needed. On a CPU every operator runs on one thread, as in a run.
    """
    from rich.console import Console

    from ovrisisbench.api.tables import speed
    from ovrisisbench.leaderboard.speed_export import print_speed, speed_json

    sections = speed(
        None if models == "all" else listed(models),
        backbone=backbone,
        size=size,
        classes=classes,
        images=images,
        warm_up=warm_up,
        settings=settings,
        device=device,
        precision=precision,
        results=results,
        stored=stored,
        published=published,
        export=exports,
        command=("ovrisis-bench", *sys.argv[1:]),
        report=_Printed(),
    )
    for path in exports:
        click.echo(f"Wrote {path}", err=True)
    if as_json:
        click.echo(speed_json(sections), nl=False)
        return
    console = Console(highlight=False)
    print_speed(sections, console if console.is_terminal else Console(highlight=False, width=160))
