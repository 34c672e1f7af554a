"""``ovrisis-bench conformance``: measured figures beside published ones, with a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention

__all__ = ["command"]


@click.command("conformance")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Folder of measured records.",
)
@click.option(
    "--convention",
    type=click.Choice(["detectron2", "detectron2-0.6"]),
    help="Compute the measured figures by this metric convention; some published rows rest on detectron2-0.6.  "
    "[default: the record's own]",
)
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the comparison to a .csv, .json, .md or .tex file; may be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(*, results: Path, convention: Convention | None, exports: tuple[Path, ...], as_json: bool) -> None:
    """Compare measured figures with published ones: value, difference, and whether the interval holds it.

    A row's counterpart is of the same model, training set and backbone. Intervals need the per-image
    counts beside the records.
    """
    from rich.console import Console

    from ovrisisbench.api.tables import conformance
    from ovrisisbench.leaderboard.findings_export import conformance_json, conformance_tables, print_tables

    found = conformance(results, convention=convention, export=exports)
    for path in exports:
        click.echo(f"Wrote {path}", err=True)
    if as_json:
        click.echo(conformance_json(found), nl=False)
        return
    print_tables(conformance_tables(found), Console(highlight=False))
