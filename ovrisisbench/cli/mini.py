"""``ovrisis-bench mini``: draw the mini downloads."""

from __future__ import annotations

from pathlib import Path

import click

from ovrisisbench.cli.output import console, listed, progress_bars

__all__ = ["command"]


@click.command(name="mini")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the downloads; each gets a folder of its own in it.",
)
@click.option(
    "--scenes",
    type=click.IntRange(min=1, max=130),
    default=30,
    show_default=True,
    help="About how many images each data set is tested on; the training splits grow in proportion. The cards count "
    "30: with fewer, prepare needs --allow-partial, and records say so.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, another world.")
@click.option(
    "--datasets",
    default="all",
    show_default=True,
    help="Keys of mini data sets, separated by commas.",
)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a picture (.webp, .png or .jpg) that shows a scene of each data set above its label map.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes that draw; default: the cores.")
def command(
    *, target: Path | None, scenes: int, seed: int, datasets: str, sheet: Path | None, workers: int | None
) -> None:
    """Draw the eight data sets of the mini world.

    Each becomes a download in its publisher's layout, which 'prepare' reads
    as any other. The same command draws the same files; what is complete
    is kept.
    """
    if target is None and sheet is None:
        raise click.UsageError("Give --to DIRECTORY for the downloads, or --sheet FILE for a picture of them.")
    from rich.markup import escape

    from ovrisisbench.api.data import mini

    keys = None if datasets == "all" else listed(datasets)
    with progress_bars(remaining=False) as progress:
        task = progress.add_task("scenes", total=None, visible=target is not None)
        drawn = mini(
            target,
            scenes=scenes,
            seed=seed,
            datasets=keys,
            sheet=sheet,
            workers=workers,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
        progress.update(task, visible=False)
    if target is None:
        return
    out = console()
    for download in drawn:
        state = "drawn" if download.is_new else "was there"
        out.print(f"  {download.dataset:<15} {download.scenes:>4} scenes  {state:<9}  {escape(str(download.folder))}",
                  soft_wrap=True)  # fmt: skip
    out.print(f"\nNext: ovrisis-bench prepare --all --from {escape(str(target))} --to data", soft_wrap=True)
