"""``ovrisis-bench compare``: models on the same images, who is better and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, listed, print_json

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.statistics import Figure

__all__ = ["command"]


@click.command("compare")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORD_A RECORD_B [...]")
@click.option(
    "--resamples", type=click.IntRange(min=1), default=2000, show_default=True, help="Resamples of the scenes."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the draws.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Power of the least detectable differences.")
@click.option(
    "--convention",
    type=click.Choice(["detectron2", "detectron2-0.6"]),
    help="Metric convention to compute all under.  [default: that of the records]",
)
@click.option(
    "--classes", default="all", show_default=True, help="Names of the classes to average over, separated by commas."
)
@click.option(
    "--figure",
    type=click.Choice(["miou", "macc", "fwiou", "pacc"]),
    default="miou",
    show_default=True,
    help="What ranks and pairs of more than two models are shown of; JSON holds all.",
)
@json_option
def command(
    *,
    records: tuple[Path, ...],
    resamples: int,
    seed: int,
    level: float,
    power: float,
    convention: Convention | None,
    classes: str,
    figure: Figure,
    as_json: bool,
) -> None:
    """Compare models on the same images by a paired bootstrap over scenes.

    Give two or more record files; their counts must lie beside them. Records of one model on several
    data sets count as one model, and then the means over the data sets that all models have are
    compared as well. Of more than two models all pairs are compared, with Holm's correction.
    """
    from ovrisisbench.api.pairs import compare
    from ovrisisbench.statistics.comparison_json import comparison_content
    from ovrisisbench.statistics.comparison_text import print_comparison

    comparison = compare(
        *records,
        convention=convention,
        classes=None if classes == "all" else listed(classes),
        resamples=resamples,
        seed=seed,
        level=level,
        power=power,
    )
    if as_json:
        print_json(comparison_content(comparison))
        return
    print_comparison(comparison, console(), figure=figure)
