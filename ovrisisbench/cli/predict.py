"""``ovrisis-bench predict``: label a picture of one's own with words of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.benchmark.inputs import Loading
from ovrisisbench.cli.loading import loading_options
from ovrisisbench.cli.output import console, json_option, print_json, progress_bars

if TYPE_CHECKING:
    from ovrisisbench.prediction import PredictedScene

__all__ = ["command"]


@click.command(name="predict")
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="Name of a model (see 'ovrisis-bench models'), or file.py:Class.")
@click.option(
    "--classes",
    required=True,
    help="Class names, separated by commas, or a .txt file with one in each line. No background is implied.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Label map to write: .tif (cloud-optimised GeoTIFF) or .png. Default: PICTURE_labels, .tif where the picture "
    "is georeferenced, in the current folder.",
)
@click.option(
    "--overlay",
    type=click.Path(path_type=Path),
    help="Also write a PNG that shows the picture under its labels, with a legend.",
)
@loading_options
@click.option("--train-set", help="What the weights were trained on; finds those that come with the package.")
@click.option(
    "--window",
    type=click.IntRange(min=16),
    default=512,
    show_default=True,
    help="Side in pixels of the windows that the model is given.",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="Least overlap of neighbouring windows in pixels.  [default: a quarter of --window]",
)
@click.option("--gsd", type=float, help="Side of a pixel on the ground in metres.  [default: from the georeference]")
@click.option(
    "--bands", metavar="R,G,B", help="Numbers of a TIFF's bands that are red, green and blue.  [default: 1,2,3]"
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Windows handed to the model at once; changes nothing.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="On a CPU: batches in flight at once, one thread each; default: the cores; changes nothing.",
)
@json_option
def command(
    *,
    picture: Path,
    model: str,
    classes: str,
    to: Path | None,
    overlay: Path | None,
    loading: Loading,
    train_set: str | None,
    window: int,
    overlap: int | None,
    gsd: float | None,
    bands: str | None,
    batch_size: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Label PICTURE, of any size, with classes of your own.

    PNG, JPEG, TIFF or GeoTIFF. The model is given overlapping windows, whose
    scores are blended; memory does not grow with the height of the picture.
    Shows the share of each class.
    """
    from ovrisisbench.benchmark.running import available_cores
    from ovrisisbench.prediction import PredictReport, predict

    with progress_bars(quiet=as_json) as bars:
        task = bars.add_task("windows", total=None)

        class Shown(PredictReport):
            def note(self, sentence: str) -> None:
                bars.console.print(f"note: {sentence}", soft_wrap=True, markup=False)

            def progress(self, finished: int, wanted: int) -> None:
                bars.update(task, completed=finished, total=wanted)

        result = predict(
            picture,
            model,
            _class_names(classes),
            to=to,
            overlay=overlay,
            window=window,
            overlap=overlap,
            gsd=gsd,
            bands=_band_numbers(bands),
            train_set=train_set,
            batch_size=batch_size,
            threads=threads or available_cores(),
            report=Shown(),
            **loading,
        )
    if as_json:
        print_json(result.to_json())
    else:
        _print(result)


def _class_names(classes: str) -> list[str]:
    from ovrisisbench.errors import DataError

    if not classes.strip().endswith(".txt"):
        return [name.strip() for name in classes.split(",")]
    path = Path(classes.strip())
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The list of classes {path} cannot be read ({error}).") from error
    return [line.strip() for line in lines if line.strip()]


def _band_numbers(bands: str | None) -> list[int] | None:
    if bands is None:
        return None
    numbers = [word.strip() for word in bands.split(",")]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise click.BadParameter(f"'{bands}' is not a list of band numbers such as 4,3,2.", param_hint="--bands")
    return [int(number) for number in numbers]


def _print(result: PredictedScene) -> None:
    from rich.table import Table
    from rich.text import Text

    measured = result.pixel_area is not None
    table = Table(box=None, pad_edge=False)
    for title in ("class", "pixels", "share", *(["m²"] if measured else [])):
        table.add_column(title, justify="left" if title == "class" else "right")
    for area in result.areas:
        name = Text("■ ", style="#{:02x}{:02x}{:02x}".format(*area.colour)) + Text(area.name)
        metres = [f"{area.square_metres:,.1f}"] if area.square_metres is not None else []
        table.add_row(name, f"{area.pixels:,}", f"{area.share:.2%}", *metres)
    out = console()
    out.print(table)
    if result.no_data:
        out.print(f"{result.no_data:,} pixels without data (255)")
    place = f", {result.crs}" if result.crs else ""
    height, width = result.size
    out.print(f"{result.labels}: {height}x{width}{place}, {result.windows:,} window(s)", soft_wrap=True, markup=False)
    if result.overlay is not None:
        out.print(str(result.overlay), soft_wrap=True, markup=False)
