"""``ovrisis-bench explain``: why two figures differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records import CountsTable, Record

__all__ = ["command"]

_PREFIX = "published:"


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
    from ovrisisbench.errors import RecordError
    from ovrisisbench.statistics.comparison import Settings
    from ovrisisbench.statistics.explanation import explain_records
    from ovrisisbench.statistics.explanation_text import (
        explanation_content,
        print_explanation,
        print_published_explanation,
        published_content,
    )
    from ovrisisbench.statistics.published_gap import explain_published, find_published

    printed = [name for name in (record_a, record_b) if name.startswith(_PREFIX)]
    measured = [_with_counts(Path(name)) for name in (record_a, record_b) if not name.startswith(_PREFIX)]
    if not measured:
        raise RecordError("Both are printed rows: give at least one measured record.")
    chosen = convention or measured[0][0].metrics.convention
    settings = Settings(convention=chosen, resamples=resamples, seed=seed, level=level)
    settings.check()
    if printed:
        beside = explain_published(*measured[0], *find_published(printed[0]), settings)
        if as_json:
            print_json(published_content(beside))
        else:
            print_published_explanation(beside, console())
        return
    explanation = explain_records(measured[0], measured[1], settings)
    if as_json:
        print_json(explanation_content(explanation))
    else:
        print_explanation(explanation, console())


def _with_counts(path: Path) -> tuple[Record, CountsTable | None]:
    from ovrisisbench.records import read_record, read_record_counts

    record = read_record(path)
    named = None if record.counts is None else path.parent / record.counts.file
    if named is None or not named.is_file():
        click.echo(f"{path.name} has no per-image counts beside it, so images cannot be made equal.", err=True)
        return record, None
    return record, read_record_counts(record, path.parent)
