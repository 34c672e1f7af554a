"""``ovrisis-bench prepare``: a download -> one verified, fingerprinted HDF5 file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from ovrisisbench.prepare import PrepareReport
    from ovrisisbench.prepare.everything import PrepareAllReport

__all__ = ["command"]


@click.command(name="prepare")
@click.argument("dataset", required=False)
@click.option("--all", "everything", is_flag=True, help="Prepare every data set that lies under --from.")
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
@click.option("--check", is_flag=True, help="Look at everything and write nothing.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that decode; one a processor core if not given.")
@click.option(
    "--allow-partial", is_flag=True, help="Go on when images are missing; every result is then marked as partial."
)
@click.option(
    "--allow-doubtful", is_flag=True, help="Go on when colours or class shares look wrong; the file keeps the doubt."
)
@click.option("--overwrite", is_flag=True, help="Replace a prepared file that is already there.")
@json_option
def command(
    *,
    dataset: str | None,
    everything: bool,
    source: Path,
    target: Path,
    variant: str | None,
    as_json: bool,
    **settings: Any,  # noqa: ANN401 - the fields of Settings
) -> None:
    """Prepare DATASET from its original download, or --all that are found.

    Recognises the layout, converts masks to label maps, cuts windows,
    compares everything with what is known of the data set, and writes one
    HDF5 file with a manifest. An interrupted run goes on where it stopped.
    """
    if (dataset is None) != everything:
        raise click.UsageError("Name one data set, or pass --all for every one that lies under --from.")
    if everything:
        if variant:
            raise click.UsageError("--variant belongs to one data set; leave out --all and name it.")
        _prepare_all(source, target, settings, as_json=as_json)
        return
    from ovrisisbench.prepare import prepare

    with _progress(silent=as_json) as progress:
        report = prepare(str(dataset), source, target, variant=variant, progress=progress(""), **settings)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _print(report)


def _prepare_all(source: Path, target: Path, settings: dict[str, Any], *, as_json: bool) -> None:
    from ovrisisbench.errors import DataError
    from ovrisisbench.prepare.everything import prepare_all
    from ovrisisbench.prepare.preparation import Settings

    with _progress(silent=as_json) as progress:
        report = prepare_all(source, target, settings=Settings(**settings), started=progress)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _print_all(report)
    refused = report.of("refused")
    if refused:
        names = ", ".join(outcome.title for outcome in refused)
        raise DataError(f"{names} could not be prepared from {source}; the reasons are listed above.")
    if len(report.of("not found")) == len(report.datasets):
        raise DataError(
            f"No data set was found under {source}; 'ovrisis-bench datasets NAME' says what its download looks like."
        )


@contextmanager
def _progress(*, silent: bool) -> Iterator[Callable[[str], Callable[[str, int, int], None]]]:
    """Give a function that starts the bars of one data set."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=silent or not errors.is_terminal) as bars:

        def start(title: str) -> Callable[[str, int, int], None]:
            words = {"convert": "converting scenes", "assemble": "writing the prepared file"}
            head = f"{title}: " if title else ""
            tasks = {phase: bars.add_task(head + text, total=None, visible=False) for phase, text in words.items()}

            def update(phase: str, done: int, total: int) -> None:
                bars.update(tasks[phase], completed=done, total=total, visible=True)

            return update

        yield start


def _print_all(report: PrepareAllReport) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    table = Table()
    for name in ("data set", "state", "layout", "variant", "images", "complete", "fingerprint"):
        table.add_column(name, justify="right" if name == "images" else "left")
    for outcome in report.datasets:
        made = outcome.report
        cells = ["", "", "", "", ""]
        if made:
            complete = "no" if made.partial else "verified" if made.verified else "yes"
            cells = [made.layout, made.variant, f"{made.images:,}", complete, made.digest[:12]]
        table.add_row(f"{escape(outcome.title)}", outcome.status, *map(escape, cells))
    out.print(table)
    for outcome in report.datasets:
        sentences = [("error", outcome.error)] if outcome.error else []
        if outcome.report:
            sentences += [("partial", sentence) for sentence in outcome.report.partial_reasons]
            sentences += [("warning", sentence) for sentence in outcome.report.warnings]
            sentences += [("note", sentence) for sentence in outcome.report.notes]
        if outcome.protocols:
            sentences += [("get", download) for download in outcome.downloads]
        elif outcome.status == "not found":
            sentences.append(("not needed", "no installed protocol tests it"))
        if sentences:
            out.print(f"[bold]{escape(outcome.title)}[/bold]")
        for word, sentence in sentences:
            out.print(f"  {word:<10} {escape(sentence)}", soft_wrap=True)
    for archive in report.not_read:
        out.print(f"not read     {escape(archive)}", soft_wrap=True)


def _print(report: PrepareReport) -> None:
    from rich.markup import escape
    from rich.table import Table

    from ovrisisbench.catalog.evidence import UNCERTAIN

    out = console()
    done = {
        "unchanged": "already prepared, nothing to do",
        "checked": "checked, nothing was written; it would become",
        "prepared": "prepared",
    }[report.status]
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
    if report.findings:
        out.print(_findings(report))
    told = {f"{finding.sentence()}." for finding in report.findings}
    for warning in report.warnings:
        if warning not in told:
            out.print(f"[yellow]warning     [/yellow] {escape(warning)}", soft_wrap=True)
    if report.partial:
        out.print("[yellow]partial     [/yellow] images are missing, and every result from this file will say so")
    for note in report.notes:
        out.print(f"[dim]note        [/dim] {escape(note)}", soft_wrap=True)
    if report.parts_reused:
        out.print(f"resumed      {report.parts_reused:,} scene(s) were taken over from an interrupted run")
    verified = "yes, counts and names equal the published ones" if report.verified else "no"
    out.print(f"verified     {verified}")
    out.print(f"fingerprint  {report.digest}")
    out.print(f"size         {report.size_bytes / 1e9:.2f} GB, {report.images:,} images of {report.scenes:,} scenes")


def _findings(report: PrepareReport) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Differences from what is known of the data set", title_justify="left", show_lines=True)
    for name in ("", "what", "expected", "found", "likely cause", "what to do"):
        table.add_column(name, overflow="fold")
    for finding in report.findings:
        texts = (finding.severity, finding.subject, finding.expected, finding.found, finding.cause, finding.remedy)
        table.add_row(*(escape(text) for text in texts))
    return table


def _expected(count: int | None, *, uncertain: bool) -> str:
    if count is None:
        return "unknown"
    return f"{count:,}{'?' if uncertain else ''}"
