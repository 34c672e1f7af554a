"""``ovrisis-bench inspect``: what a prepared data set holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["command"]


@click.command(name="inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Read all pixels and compare them with the digests in the manifest.")
@json_option
def command(file: Path, verify: bool, as_json: bool) -> None:
    """Show the manifest of a prepared FILE: counts, classes, fingerprint."""
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.prepare.prepared import read_creation

    with PreparedDataset(file) as dataset:
        if verify:
            for index in range(len(dataset)):
                dataset.verify(index)
        summary = _summary(dataset, dict(read_creation(file)), verified_pixels=verify)
        if as_json:
            samples = [sample.model_dump(mode="json") for sample in dataset.samples]
            print_json({**summary, "samples": samples})
        else:
            _print(summary)


def _summary(dataset: PreparedDataset, creation: dict[str, Any], *, verified_pixels: bool) -> dict[str, Any]:
    manifest = dataset.manifest
    labelled = sum(manifest.class_pixels)
    classes = [
        {"index": index, "name": name, "pixels": pixels, "share": pixels / labelled if labelled else 0.0}
        for index, (name, pixels) in enumerate(zip(manifest.class_names, manifest.class_pixels, strict=True))
    ]
    return {
        "file": str(dataset.path),
        "size_bytes": dataset.path.stat().st_size,
        "creation": creation,
        "pixels_verified": verified_pixels,
        "images": len(dataset),
        "scenes": len({sample.scene for sample in manifest.samples}),
        "classes": classes,
        "labelled_pixels": labelled,
        **manifest.model_dump(mode="json", exclude={"samples", "class_names", "class_pixels"}),
    }


def _print(summary: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    out.print(f"[bold]{escape(summary['title'])}[/bold] ({summary['dataset']}), variant {escape(summary['variant'])}")
    counts = ", ".join(f"{split} {count:,}" for split, count in summary["counts"].items())
    state = "[yellow]partial[/yellow]" if summary["partial"] else "complete"
    verified = "counts and names equal the published ones" if summary["verified"] else "not verified against a list"
    out.print(f"images       {summary['images']:,} ({counts}) of {summary['scenes']:,} scenes")
    out.print(f"state        {state}, {verified}")
    for word, sentences in (("partial", summary["partial_reasons"]), ("note", summary["notes"])):
        for sentence in sentences:
            out.print(f"{word:<12} {escape(sentence)}", soft_wrap=True)
    table = Table()
    for name in ("index", "class", "pixels", "share of labelled"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for row in summary["classes"]:
        table.add_row(str(row["index"]), escape(row["name"]), f"{row['pixels']:,}", f"{row['share']:.2%}")
    table.add_row("255", "ignored", f"{summary['ignored_pixels']:,}", "")
    out.print(table)
    if summary["pixels_verified"]:
        out.print("pixels       all equal their digests")
    out.print(f"fingerprint  {summary['digest']}")
    out.print(f"layout       {summary['layout']}, prepared by ovrisisbench {summary['ovrisisbench_version']}")
    out.print(f"file         format {summary['format']}, {summary['size_bytes'] / 1e9:.2f} GB")
