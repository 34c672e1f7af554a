"""``ovrisis-bench datasets``: the cards, and which data sets are prepared here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.catalog.protocols import DEFAULT_PROTOCOL
from ovrisisbench.cli.output import console, data_option, json_option, print_json

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["command"]


@click.command(name="datasets")
@click.argument("dataset", required=False)
@data_option
@json_option
def command(dataset: str | None, data: Path, as_json: bool) -> None:
    """Show all data sets, or the whole card of one DATASET."""
    from ovrisisbench.catalog import load_card, load_cards

    if dataset is None:
        rows = [_row(card.key, data) for card in load_cards()]
        if as_json:
            print_json({"datasets": rows})
        else:
            _print_overview(rows, data)
        return
    card = load_card(dataset)
    if as_json:
        print_json({**card.model_dump(mode="json"), **_row(dataset, data)})
    else:
        _print_card(dataset, _row(dataset, data))


def _row(key: str, data: Path) -> dict[str, Any]:
    from ovrisisbench.catalog import load_card, load_vocabulary, protocols_testing
    from ovrisisbench.prepare import prepared_path, readable_layouts

    card = load_card(key)
    variant = card.variant()
    path = prepared_path(data, key)
    return {
        "key": card.key,
        "title": card.title,
        "variant": variant.name,
        "class_names": list(load_vocabulary(variant.vocabulary).class_names),
        "images": variant.total,
        "images_by_split": dict(variant.counts),
        "images_evidence": variant.counts_evidence,
        "licence": card.licence,
        "downloads": [{"what": item.what, "archive": item.archive, "from": item.source} for item in card.downloads],
        "layouts_read": readable_layouts(key),
        "protocols": list(protocols_testing(key)),
        "prepared": str(path) if path.exists() else None,
    }


def _print_overview(rows: list[dict[str, Any]], data: Path) -> None:
    from rich.markup import escape

    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row["protocols"]), []).append(row)
    out = console()
    # The benchmark's own come first, what no protocol tests last.
    for protocols in sorted(groups, key=lambda names: (not names, DEFAULT_PROTOCOL not in names, names)):
        tested = (
            f"Tested by {', '.join(protocols)}" if protocols else "Tested by a protocol of your own (--protocol FILE)"
        )
        out.print(_overview(tested, groups[protocols]))
    out.print("? = a count that is inferred or recalled and still to be confirmed on a real download.")
    out.print(f"here = prepared in {escape(str(data))}; reader = layouts that 'prepare' of this release reads.")
    out.print("One whole card: ovrisis-bench datasets NAME")


def _overview(title: str, rows: list[dict[str, Any]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from ovrisisbench.catalog.evidence import UNCERTAIN

    table = Table(title=escape(title), title_justify="left", show_lines=True, expand=True)
    table.add_column("data set", no_wrap=True)
    table.add_column("classes", justify="right", no_wrap=True)
    table.add_column("images", justify="right", no_wrap=True)
    table.add_column("licence", ratio=2)
    table.add_column("download", ratio=3, overflow="fold")
    table.add_column("reader", no_wrap=True)
    table.add_column("here", no_wrap=True)
    for row in rows:
        uncertain = "?" if row["images_evidence"] in UNCERTAIN else ""
        splits = "\n".join(f"{split} {count:,}" for split, count in row["images_by_split"].items() if split != "all")
        table.add_row(
            f"[bold]{row['key']}[/bold]\n{escape(row['title'])}\n{row['variant']}",
            str(len(row["class_names"])),
            f"{row['images']:,}{uncertain}\n{splits}".strip(),
            escape(row["licence"]),
            escape("\n".join(f"{item['what']}: {item['archive']}" for item in row["downloads"])),
            "\n".join(row["layouts_read"]) or "none yet",
            "prepared" if row["prepared"] else "-",
        )
    return table


def _print_card(key: str, row: dict[str, Any]) -> None:
    from rich.markup import escape

    from ovrisisbench.catalog import load_card
    from ovrisisbench.catalog.evidence import evidence_words

    card = load_card(key)
    out = console()
    out.print(f"[bold]{escape(card.title)}[/bold] ({key}): {escape(card.summary)}")
    prepared = row["prepared"] or "not yet"
    for name, value in (
        ("sensor", card.sensor),
        ("pixels", f"{card.gsd_m} m" if card.gsd_m else "size varies or is not known"),
        ("bands", card.bands),
        ("image size", card.image_size),
        ("licence", card.licence),
        ("scene", card.scene_key),
        ("protocols", ", ".join(row["protocols"]) or "none of this release; test it by one of your own"),
        ("prepared", prepared),
    ):
        out.print(f"  {name:<11} {escape(str(value))}")
    out.print("[bold]Download[/bold]")
    for item in card.downloads:
        out.print(f"  {escape(item.what)}: {escape(item.archive)}, from {escape(item.source)}")
    out.print("[bold]Layouts[/bold]")
    for layout in card.layouts:
        read = "read" if layout.name in row["layouts_read"] else "no reader in this release"
        out.print(f"  {layout.name} ({read}): {escape(layout.title)}. {escape(layout.note)}")
        for path in layout.paths:
            out.print(f"    {escape(path)}")
    out.print("[bold]Splits of the publisher[/bold]")
    for split in card.splits:
        count = "?" if split.images is None else f"{split.images:,}"
        out.print(f"  {split.name}: {count} images; {escape(split.rule)} ({evidence_words(split.evidence)})")
    out.print("[bold]Variants[/bold]")
    for variant in card.variants:
        chosen = " (default)" if variant.name == card.default_variant else ""
        counts = ", ".join(f"{name} {count:,}" for name, count in variant.counts.items())
        out.print(
            f"  {variant.name}{chosen}: {escape(variant.title)}; {counts} ({evidence_words(variant.counts_evidence)})"
        )
        out.print(f"    {escape(variant.why)}")
    out.print("[bold]Classes[/bold] (index in the default variant, publisher's name, id, colour)")
    labels = card.variant().labels
    for label in (*card.classes, *card.other_labels):
        index = labels[label.name]
        out.print(f"  {index!s:>6}  {escape(label.name):<22} id {label.original_id!s:<5} {label.colour}")
    for heading, lines in (("Traps", card.traps), ("Open questions", card.open_questions)):
        if lines:
            out.print(f"[bold]{heading}[/bold]")
            for line in lines:
                out.print(f"  - {escape(line)}")
