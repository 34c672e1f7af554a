"""``ovrisis-bench vocabulary``: the class names of a data set, and which of them a training set has shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.catalog import DatasetCard, Variant
    from ovrisisbench.catalog.legend import LegendEntry
    from ovrisisbench.catalog.overlap import ClassOverlap

__all__ = ["command"]

_LEVELS = {
    "exact": ("green", "the same name"),
    "variant": ("green", "its singular or plural"),
    "near": ("yellow", "another name for it, or related (judgement)"),
    "unseen": ("red", "nothing like it"),
}


@click.command(name="vocabulary")
@click.argument("dataset")
@click.option("--against", metavar="DATASET", help="Compare with the classes of this training set.")
@click.option("--variant", help="Another reading of DATASET than the default one (see 'datasets').")
@click.option(
    "--table", metavar="FILE", help="Judgements on class names to use instead of the installed ones (a YAML file)."
)
@json_option
def command(dataset: str, against: str | None, variant: str | None, table: str | None, as_json: bool) -> None:
    """Show the class names of DATASET, in label order.

    With --against, show which of them a model trained on the other data set has
    seen: by the same name, by its singular or plural, by a related name, or not.
    """
    from ovrisisbench.api.data import vocabulary
    from ovrisisbench.catalog import load_card

    card = load_card(dataset)
    chosen = card.variant(variant)
    if against is None:
        if table is not None:
            raise click.UsageError("--table says how to compare two vocabularies; give --against as well.")
        _show_vocabulary(card, chosen, as_json)
        return
    compared = vocabulary(dataset, against, variant=variant, table=table)
    file = table if table and table.endswith((".yaml", ".yml")) else f"splits/overlap/{compared.table}.yaml"
    if as_json:
        content = {"dataset": card.key, "variant": chosen.name, "against": against, **compared.to_json()}
        print_json({**content, "table": {**content["table"], "file": file}})
    else:
        _print_overlap(compared, card.title, load_card(against).title, file)


def _show_vocabulary(card: DatasetCard, variant: Variant, as_json: bool) -> None:
    from ovrisisbench.catalog import load_vocabulary
    from ovrisisbench.catalog.legend import legend

    entries = legend(card, variant)
    if not as_json:
        _print_vocabulary(card, variant, entries)
        return
    vocabulary = load_vocabulary(variant.vocabulary)
    labels = {entry: [label.model_dump(mode="json") for label in entry.labels] for entry in entries}
    print_json(
        {
            "dataset": card.key,
            "variant": variant.name,
            "vocabulary": vocabulary.name,
            "source": vocabulary.source,
            "evidence": vocabulary.evidence,
            "labels_evidence": variant.labels_evidence,
            "classes": [
                {"index": entry.index, "name": entry.name, "publisher": labels[entry]}
                for entry in entries
                if entry.index is not None
            ],
            "ignored": [label for entry in entries if entry.index is None for label in labels[entry]],
        }
    )


def _print_vocabulary(card: DatasetCard, variant: Variant, entries: Iterable[LegendEntry]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from ovrisisbench.catalog import load_vocabulary
    from ovrisisbench.catalog.evidence import evidence_words
    from ovrisisbench.catalog.legend import hex_colour

    vocabulary = load_vocabulary(variant.vocabulary)
    title = f"{vocabulary.name}: {card.title}, variant {variant.name}"
    table = Table(title=escape(title), title_justify="left")
    table.add_column("index", justify="right")
    for heading in ("class name", "publisher's name", "id", "colour", "remark"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        index, name = ("ignored", "-") if entry.index is None else (str(entry.index), escape(entry.name))
        for label in entry.labels:
            colour = hex_colour(label.colour)
            swatch = f"[on {colour}]    [/] {colour}"
            number = "-" if label.original_id is None else str(label.original_id)
            table.add_row(index, name, escape(label.name), number, swatch, escape(label.use))
            index = name = ""
    out = console()
    out.print(table)
    out.print(f"Names: {evidence_words(vocabulary.evidence)}. {escape(vocabulary.source)}")
    out.print(f"Map from the publisher's names: {evidence_words(variant.labels_evidence)}.")


def _print_overlap(compared: ClassOverlap, title: str, trained_on: str, file: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(f"{title} for a model trained on {trained_on}"), title_justify="left")
    table.add_column("index", justify="right")
    for heading in ("class name", "level", "training class", "relation"):
        table.add_column(heading, overflow="fold")
    for index, match in enumerate(compared.classes):
        name = escape(match.name) + ("" if match.is_concept else " *")
        level = f"[{_LEVELS[match.level][0]}]{match.level}[/]"
        table.add_row(str(index), name, level, escape(", ".join(match.classes)) or "-", escape(match.relation))
    out = console()
    out.print(table)
    out.print(_summary(compared))
    for level, (_, words) in _LEVELS.items():
        out.print(f"  {level:<8} {words}")
    out.print("strict counts exact as seen, usual counts exact and variant; near counts as neither.")
    if not all(match.is_concept for match in compared.classes):
        out.print("* is the name of no concept: no training class can stand for it.")
    if compared.is_judged:
        out.print(f"Judgements: table {escape(compared.table)} (id {compared.table_id}), {escape(file)}.")
    else:
        out.print(
            f"[yellow]Nobody has judged {escape(compared.test)} against {escape(compared.train)}[/]: {escape(file)} "
            "does not list the pair, so no class is near, and only what the names themselves say is shown."
        )


def _summary(compared: ClassOverlap) -> Any:  # noqa: ANN401 - a rich table, imported late
    from rich.table import Table

    from ovrisisbench.catalog.overlap import LEVELS

    table = Table()
    table.add_column("")
    for heading in ("classes", *LEVELS, "seen, strict", "seen, usual"):
        table.add_column(heading, justify="right")
    for words, concepts_only in (("all classes", False), ("without *", True)):
        counts = compared.counts(concepts_only=concepts_only)
        if concepts_only and sum(counts.values()) == len(compared.classes):
            continue
        seen = [compared.seen_count(strict=strict, concepts_only=concepts_only) for strict in (True, False)]
        table.add_row(words, *map(str, (sum(counts.values()), *counts.values(), *seen)))
    return table
