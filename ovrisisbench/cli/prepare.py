"""``ovrisis-bench prepare``: a download -> one verified, fingerprinted HDF5 file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.prepare import PrepareReport

__all__ = ["command"]


@click.command(name="prepare")
@click.argument("dataset")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder or zip of the download; archives may stay packed.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder for the prepared file.",
)
@click.option("--variant", help="Another reading of the data set than the default one (see 'datasets').")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that decode; one a processor core if not given.")
@click.option(
    "--allow-partial", is_flag=True, help="Go on when images are missing; every result is then marked as partial."
)
@click.option("--overwrite", is_flag=True, help="Replace a prepared file that is already there.")
@json_option
def command(
    *,
    dataset: str,
    source: Path,
    target: Path,
    variant: str | None,
    workers: int | None,
    allow_partial: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Prepare DATASET from its original download.

    Recognises the layout, converts masks to label maps, cuts windows,
    compares everything with what is known of the data set, and writes one
    HDF5 file with a manifest. An interrupted run goes on where it stopped.
    """
    from ovrisisbench.prepare import prepare

    with _progress(silent=as_json) as progress:
        report = prepare(
            dataset,
            source,
            target,
            variant=variant,
            workers=workers,
            allow_partial=allow_partial,
            overwrite=overwrite,
            progress=progress,
        )
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _print(report)


@contextmanager
def _progress(*, silent: bool) -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=silent or not errors.is_terminal) as bars:
        words = {"convert": "converting scenes", "assemble": "writing the prepared file"}
        tasks = {phase: bars.add_task(text, total=None, visible=False) for phase, text in words.items()}

        def update(phase: str, done: int, total: int) -> None:
            bars.update(tasks[phase], completed=done, total=total, visible=True)

        yield update


def _print(report: PrepareReport) -> None:
    from rich.markup import escape
    from rich.table import Table

    from ovrisisbench.catalog.evidence import UNCERTAIN

    out = console()
    done = "already prepared, nothing to do" if report.status == "unchanged" else "prepared"
    out.print(f"[bold]{escape(report.title)}[/bold] {done}: {escape(report.target)}")
    out.print(f"layout       {report.layout}: {escape(report.layout_title)}")
    out.print(f"variant      {escape(report.variant)}")
    table = Table()
    table.add_column("split")
    for name in ("files", "expected", "evaluated images", "expected"):
        table.add_column(name, justify="right")
    for split in report.splits:
        table.add_row(
            escape(split.split),
            f"{split.files_found:,}",
            _expected(split.files_expected, uncertain=split.files_evidence in UNCERTAIN),
            f"{split.images_found:,}",
            _expected(split.images_expected, uncertain=split.images_evidence in UNCERTAIN),
        )
    out.print(table)
    if any(split.files_evidence in UNCERTAIN or split.images_evidence in UNCERTAIN for split in report.splits):
        out.print("? = an expected number that is recalled or inferred; a published list, where known, decides.")
    for word, style, sentences in (
        ("partial", "yellow", report.partial_reasons),
        ("warning", "yellow", report.warnings),
        ("note", "dim", report.notes),
    ):
        for sentence in sentences:
            out.print(f"[{style}]{word:<12}[/{style}] {escape(sentence)}", soft_wrap=True)
    if report.parts_reused:
        out.print(f"resumed      {report.parts_reused:,} scene(s) were taken over from an interrupted run")
    verified = "yes, counts and names equal the published ones" if report.verified else "no"
    out.print(f"verified     {verified}")
    out.print(f"fingerprint  {report.digest}")
    out.print(f"size         {report.size_bytes / 1e9:.2f} GB, {report.images:,} images of {report.scenes:,} scenes")


def _expected(count: int | None, *, uncertain: bool) -> str:
    if count is None:
        return "unknown"
    return f"{count:,}{'?' if uncertain else ''}"
