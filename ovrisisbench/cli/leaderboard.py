"""``ovrisis-bench leaderboard``: show the records, and export them as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.leaderboard import Leaderboard
    from ovrisisbench.leaderboard.model import Classes
    from ovrisisbench.leaderboard.ranking import TieRule

__all__ = ["command"]


@click.command("leaderboard")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of measured records.  [default: results]",
)
@click.option("--protocol", metavar="NAME_OR_ID", help="Show one protocol only.")
@click.option(
    "--train-set", metavar="NAME", help="Show models of one training set only; none = models that were not trained."
)
@click.option("--backbone", metavar="NAME", help="Show one backbone only, such as vit-b, or one size, such as B.")
@click.option(
    "--convention",
    type=click.Choice(["detectron2", "detectron2-0.6"]),
    help="Compute all measured figures by this metric convention, from the stored counts.  [default: the record's own]",
)
@click.option(
    "--classes",
    type=click.Choice(["all", "seen", "near", "unseen"]),
    default="all",
    show_default=True,
    help="Average over the classes that the training set has shown, nearly shown, or not shown.",
)
@click.option(
    "--overlap-table",
    metavar="FILE",
    help="Judgements on which classes are near, to use instead of the installed ones (a YAML file).",
)
@click.option(
    "--intervals/--no-intervals",
    default=None,
    help="Show 95 % intervals over scenes, from the per-image counts beside the records.  [default: only in CSV and "
    "JSON]",
)
@click.option(
    "--ties",
    type=click.Choice(["exact", "interval"]),
    default="exact",
    show_default=True,
    help="Which rows share the marks of best and second best: equal ones, or also those whose paired "
    "difference may be chance.",
)
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the table to a .csv (a line a row), .long.csv (a line a figure), .json, .md or .tex file; may be given "
    "more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--published/--no-published", default=True, show_default=True, help="Show published figures as well.")
def command(
    *,
    results: Path | None,
    protocol: str | None,
    train_set: str | None,
    backbone: str | None,
    convention: Convention | None,
    classes: Classes,
    overlap_table: str | None,
    intervals: bool | None,
    ties: TieRule,
    exports: tuple[Path, ...],
    as_json: bool,
    published: bool,
) -> None:
    """Show measured records and published figures as one table, with floors and ceilings.

    Rows are ranked only against rows of the same protocol id, training set and size of backbone.
    """
    from ovrisisbench.api.tables import leaderboard
    from ovrisisbench.leaderboard import leaderboard_json

    board = leaderboard(
        results,
        protocol=protocol,
        train_set=train_set,
        backbone=backbone,
        convention=convention,
        classes=classes,
        overlap_table=overlap_table,
        intervals=intervals,
        hold_intervals=as_json and intervals is None,
        ties=ties,
        published=published,
        export=exports,
    )
    for path in exports:
        click.echo(f"Wrote {path}", err=True)
    if not board.has_measured:
        folder = results or "results"
        click.echo(f"{folder} holds no fitting measured record; all rows are published figures.", err=True)
    if as_json:
        click.echo(leaderboard_json(board), nl=False)
        return
    _print(board)


def _print(board: Leaderboard) -> None:
    from rich.console import Console

    from ovrisisbench.leaderboard import print_leaderboard

    print_leaderboard(board, Console(highlight=False))
