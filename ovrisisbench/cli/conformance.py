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

    from ovrisisbench.errors import RecordError
    from ovrisisbench.leaderboard import counts_beside
    from ovrisisbench.leaderboard.conformance import conformance
    from ovrisisbench.leaderboard.findings_export import (
        check_findings_export,
        conformance_json,
        conformance_tables,
        export_conformance,
        print_tables,
    )
    from ovrisisbench.leaderboard.selection import under_convention
    from ovrisisbench.records import read_published, read_record_files

    for path in exports:
        check_findings_export(path)
    files = read_record_files(results)
    records = list(files.values()) if convention is None else under_convention(files.values(), convention)
    found = conformance(records, read_published(), counts_of=counts_beside(files))
    if not found:
        raise RecordError(
            f"{results} holds no record with a published counterpart; published are "
            f"{', '.join(table.source.title for table in read_published())}."
        )
    for path in exports:
        export_conformance(found, path)
        click.echo(f"Wrote {path}", err=True)
    if as_json:
        click.echo(conformance_json(found), nl=False)
        return
    print_tables(conformance_tables(found), Console(highlight=False))
