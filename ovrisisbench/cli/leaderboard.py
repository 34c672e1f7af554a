"""``ovrisis-bench leaderboard``: show the records, and export them as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ovrisisbench.leaderboard import Leaderboard

__all__ = ["command"]

_DEFAULT_RESULTS = Path("results")


@click.command("leaderboard")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of measured records.  [default: results]",
)
@click.option("--protocol", metavar="NAME_OR_ID", help="Show one protocol only.")
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the table to a .csv, .json, .md or .tex file; may be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--published/--no-published", default=True, show_default=True, help="Show published figures as well.")
def command(
    results: Path | None, protocol: str | None, exports: tuple[Path, ...], as_json: bool, published: bool
) -> None:
    """Show measured records and published figures as one table.

    Rows are ranked only against rows of the same protocol id, training set and size of backbone.
    """
    from ovrisisbench.errors import RecordError
    from ovrisisbench.leaderboard import check_export, export_leaderboard, leaderboard_json, leaderboard_table
    from ovrisisbench.records import read_published, read_records

    for path in exports:
        check_export(path)
    folder = results or _DEFAULT_RESULTS
    # The default folder appears with the first run; one that was named must exist.
    records = read_records(folder) if results is not None or folder.is_dir() else []
    board = leaderboard_table(records, read_published() if published else (), protocol=protocol)
    if not board.sections:
        raise RecordError(f"{folder} holds no fitting record, so there is nothing to show; run 'ovrisis-bench run'.")
    for path in exports:
        export_leaderboard(board, path)
        click.echo(f"Wrote {path}", err=True)
    if not board.has_measured:
        click.echo(f"{folder} holds no fitting measured record; all rows are published figures.", err=True)
    if as_json:
        click.echo(leaderboard_json(board), nl=False)
        return
    _print(board)


def _print(board: Leaderboard) -> None:
    from rich.console import Console

    from ovrisisbench.leaderboard import print_leaderboard

    print_leaderboard(board, Console(highlight=False))
