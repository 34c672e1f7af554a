"""``ovrisis-bench inspect``: what a prepared data set holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from ovrisisbench.prepare.storage.manifest import Manifest
    from ovrisisbench.prepare.storage.summary import DatasetSummary

__all__ = ["command"]

_EIGHTHS = "▏▎▍▌▋▊▉█"


@click.command(name="inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a page with pictures under their labels, one file that opens anywhere.",
)
@click.option(
    "--images",
    type=click.IntRange(1, 200),
    help="How many pictures the page shows; 24 if not given.",
)
@json_option
def command(file: Path, page: Path | None, images: int | None, as_json: bool) -> None:
    """Show what a prepared FILE holds: counts, classes, fingerprint.

    Only the manifest is read, and for the page the pixels of the pictures on
    it; 'verify' reads everything.
    """
    from ovrisisbench.prepare.inspection import inspect_prepared

    if images is not None and page is None:
        raise click.UsageError("--images says how many pictures the page shows; give --html as well.")
    found = inspect_prepared(file, page=page, images=images or 24)
    if as_json:
        print_json(found.to_json())
        return
    _print(found.manifest, found.summary)
    if page is not None:
        from rich.markup import escape

        size = page.stat().st_size
        text = f"page         {escape(str(page))}, {len(found.pictures):,} pictures, {size / 1e6:.1f} MB"
        console().print(text, soft_wrap=True)


def _print(manifest: Manifest, summary: DatasetSummary) -> None:
    from rich.markup import escape

    out = console()
    out.print(f"[bold]{escape(manifest.title)}[/bold] ({escape(manifest.dataset)}), variant {escape(manifest.variant)}")
    counts = ", ".join(f"{escape(split)} {count:,}" for split, count in manifest.counts.items())
    state = "[yellow]partial[/yellow]" if manifest.partial else "complete"
    verified = "counts and names equal the published ones" if manifest.verified else "not verified against a list"
    out.print(f"images       {summary.images:,} ({counts}) of {summary.scenes:,} scenes")
    out.print(f"sizes        {_sizes(summary)}", soft_wrap=True)
    out.print(f"state        {state}, {verified}")
    remarks = (
        ("partial", manifest.partial_reasons),
        ("warning", manifest.warnings),
        ("note", manifest.notes),
    )
    for word, sentences in remarks:
        for sentence in sentences:
            out.print(f"{word:<12} {escape(sentence)}", soft_wrap=True)
    _print_classes(out, manifest, summary)
    out.print(f"fingerprint  {manifest.digest}")
    version = escape(manifest.ovrisisbench_version)
    out.print(f"layout       {escape(manifest.layout)}, prepared by ovrisisbench {version}")
    out.print(f"file         format {manifest.format}, {summary.size_bytes / 1e9:.2f} GB")


def _print_classes(out: Console, manifest: Manifest, summary: DatasetSummary) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for name in ("index", "class", "pixels", "share of labelled", "", "images"):
        table.add_column(name, justify="left" if name in ("class", "") else "right")
    largest = max((row.share for row in summary.classes), default=0.0) or 1.0
    cells = 24 if out.width >= 100 else 8
    for row in summary.classes:
        bar = _bar(row.share / largest, cells, ascii_only=out.options.ascii_only)
        share = f"{row.share:.2%}"
        table.add_row(str(row.index), escape(row.name), f"{row.pixels:,}", share, bar, f"{row.images:,}")
    ignored = f"{summary.ignored_share:.2%} of all"
    table.add_row("255", "ignored", f"{manifest.ignored_pixels:,}", ignored, "", "")
    out.print(table)


def _bar(part: float, cells: int, *, ascii_only: bool) -> str:
    """Return a bar of at most ``cells`` letters for 0..1; what is more than nothing is seen."""
    if ascii_only:
        return "#" * max(round(part * cells), int(part > 0))
    eighths = max(round(part * cells * 8), int(part > 0))
    whole, rest = divmod(eighths, 8)
    return _EIGHTHS[7] * whole + (_EIGHTHS[rest - 1] if rest else "")


def _sizes(summary: DatasetSummary) -> str:
    most = 4
    named = [f"{size.width:,}x{size.height:,} ({size.images:,})" for size in summary.sizes[:most]]
    others = len(summary.sizes) - most
    return ", ".join([*named, f"{others:,} other sizes"] if others > 0 else named)
