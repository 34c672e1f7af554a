"""``ovrisis-bench demo``: the whole benchmark on drawn scenes."""

from __future__ import annotations

from pathlib import Path

import click

from ovrisisbench.cli.output import console

__all__ = ["command"]


@click.command(name="demo")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Folder for everything that is made.",
)
@click.option(
    "--scenes", type=click.IntRange(min=2, max=1000), default=6, show_default=True, help="How many scenes to draw."
)
def command(folder: Path, scenes: int) -> None:
    """Draw a small data set and run the whole benchmark on it.

    Needs no download and no GPU. The weights are untrained: the figures show
    that the machinery works, and say nothing about any model.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ovrisisbench.cli.run import ProgressReport
    from ovrisisbench.demo.demonstration import demonstrate
    from ovrisisbench.leaderboard import leaderboard_table, print_leaderboard
    from ovrisisbench.records import read_records

    out = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        made = demonstrate(folder, scenes=scenes, listener=ProgressReport(progress))
    out.print(
        f"\nDrew {scenes} scenes in the layout of iSAID, prepared {made.report.images} windows of them "
        f"(fingerprint {made.report.digest[:12]}), and measured {len(made.records)} models.\n"
    )
    print_leaderboard(leaderboard_table(read_records(made.results)), out)
    out.print(
        "[bold]These weights are untrained and the scenes are drawn[/bold]: the measured rows show that the machinery "
        "works, and say nothing about RSKT-Seg. Beside the paper's published rows: "
        f"ovrisis-bench leaderboard --results {escape(str(made.results))}",
        soft_wrap=True,
    )
    out.print("\nWhere everything lies:")
    for what, path in (
        ("drawn download", made.download),
        ("prepared data set", made.prepared),
        ("records and counts", made.results),
        *(("leaderboard", path) for path in made.exports),
    ):
        out.print(f"  {what:<19} {escape(str(path))}", soft_wrap=True)
    out.print("\nNext: prepare a real data set (ovrisis-bench datasets) and run a model on it (ovrisis-bench models).")
