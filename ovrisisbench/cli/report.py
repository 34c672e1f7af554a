"""``ovrisis-bench report``: write the records as static pages."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("report")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Folder for the pages; an earlier report in it is replaced.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of measured records.  [default: results]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="Folder with prepared data sets, for pictures; without it the pages hold figures only.",
)
@click.option(
    "--images",
    type=click.IntRange(min=0, max=200),
    default=12,
    show_default=True,
    help="Images to show of each data set at most: the worst, the middle and the best.",
)
@click.option("--protocol", metavar="NAME_OR_ID", help="Show one protocol only.")
@click.option("--published/--no-published", default=True, show_default=True, help="Show published figures as well.")
def command(
    *, folder: Path, results: Path | None, data: Path, images: int, protocol: str | None, published: bool
) -> None:
    """Write the records as pages that open from the disk, without server or network.

    Predicted label maps are shown where 'ovrisis-bench run --keep-label-maps' has kept them.
    """
    from ovrisisbench.api.tables import report

    written = report(folder, results=results, data=data, images=images, protocol=protocol, published=published)
    for sentence in written.missing:
        click.echo(f"note: {sentence}", err=True)
    click.echo(
        f"{written.pages} pages ({written.page_bytes / 1e6:.1f} MB, and {written.picture_bytes / 1e6:.1f} MB of "
        f"pictures of {written.images} images); open {folder / 'index.html'}"
    )
