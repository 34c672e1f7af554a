"""``ovrisis-bench explain``: why two figures differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention

__all__ = ["command"]


@click.command("explain")
@click.argument("record_a", metavar="RECORD_A")
@click.argument("record_b", metavar="RECORD_B")
@click.option(
    "--convention",
    type=click.Choice(["detectron2", "detectron2-0.6"]),
    help="Metric convention to compute both under.  [default: that of RECORD_A]",
)
@click.option(
    "--resamples", type=click.IntRange(min=1), default=2000, show_default=True, help="Resamples of the scenes."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the draws.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals.")
@json_option
def command(
    *,
    record_a: str,
    record_b: str,
    convention: Convention | None,
    resamples: int,
    seed: int,
    level: float,
    as_json: bool,
) -> None:
    """Explain why the figures of two records of one data set differ.

    Shows which fields of the records differ, and how much of the gap is left when both are
    computed under one convention, on the images that both have, over the classes that both
    average over.

    One of them may be a printed row: published:TABLE/TITLE or
    published:TABLE/TITLE/BACKBONE/TRAIN_SET, such as
    published:ovrisisbench-table1/rskt-seg/vit-b/dlrsd. Then figures and claims are compared.
    """
    from ovrisisbench.api.pairs import explain
    from ovrisisbench.statistics.explanation import Explanation
    from ovrisisbench.statistics.explanation_text import (
        explanation_content,
        print_explanation,
        print_published_explanation,
        published_content,
    )

    found = explain(
        record_a,
        record_b,
        convention=convention,
        resamples=resamples,
        seed=seed,
        level=level,
        note=lambda sentence: click.echo(sentence, err=True),
    )
    if as_json:
        print_json(explanation_content(found) if isinstance(found, Explanation) else published_content(found))
    elif isinstance(found, Explanation):
        print_explanation(found, console())
    else:
        print_published_explanation(found, console())
