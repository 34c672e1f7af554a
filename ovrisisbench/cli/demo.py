"""``ovrisis-bench demo``: the whole benchmark on drawn scenes."""

from __future__ import annotations

from pathlib import Path

import click

from ovrisisbench.cli.output import console, progress_bars

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
    "--scenes",
    type=click.IntRange(min=1, max=130),
    default=3,
    show_default=True,
    help="About how many images each data set is tested on; the mini world proper has 30.",
)
def command(folder: Path, scenes: int) -> None:
    """Draw the mini world and run the whole benchmark on it.

    Needs no download and no GPU. Three very small models, trained on drawn
    scenes, and the floors are measured on all eight data sets. The figures
    say nothing about the models of the papers.
    """
    from rich.markup import escape

    from ovrisisbench.api.data import demo
    from ovrisisbench.cli.run import ProgressReport
    from ovrisisbench.leaderboard import leaderboard_table, print_leaderboard
    from ovrisisbench.records import read_records

    out = console()
    with progress_bars(remaining=False) as progress:
        task = progress.add_task("drawing", total=None)
        made = demo(
            folder,
            scenes=scenes,
            drawing=lambda done, total: progress.update(task, completed=done, total=total),
            report=ProgressReport(progress),
        )
        progress.update(task, visible=False)
    images = sum(outcome.report.images for outcome in made.report.datasets if outcome.report)
    out.print(
        f"\nDrew {sum(download.scenes for download in made.downloads)} scenes of {len(made.downloads)} data sets in "
        f"their publishers' layouts, prepared {images} images of them, and measured "
        f"{len({record.model.name for record in made.records})} models.\n"
    )
    print_leaderboard(leaderboard_table(read_records(made.results)), out)
    out.print(
        "[bold]The scenes are drawn and the networks are very small[/bold]: the measured rows say nothing about the "
        "models of the papers. Their own figures: ovrisis-bench leaderboard",
        soft_wrap=True,
    )
    out.print("\nWhere everything lies:")
    for what, path in (
        ("drawn downloads", made.downloads[0].folder.parent),
        ("prepared data sets", made.data),
        ("records and counts", made.results),
        *(("leaderboard", path) for path in made.exports),
        ("report, to be opened", made.pages.index),
    ):
        out.print(f"  {what:<20} {escape(str(path))}", soft_wrap=True)
    out.print("\nNext: prepare a real data set (ovrisis-bench datasets) and run a model on it (ovrisis-bench models).")
