"""``ovrisis-bench verify``: whether prepared files still hold what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json
from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from ovrisisbench.prepare.storage.verifying import VerifyReport

__all__ = ["command"]

_LISTED = 10
"""Bad samples of one file that are printed; JSON has all."""


@click.command(name="verify")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--workers", type=click.IntRange(min=1), help="Processes that read; one a processor core if not given.")
@json_option
def command(files: tuple[Path, ...], workers: int | None, as_json: bool) -> None:
    """Read prepared FILES again and compare every pixel with the manifest.

    Finds what disks, copies and edits have changed: all damaged images of all
    files, manifests that do not hold together, and files that were prepared
    by other rules than the installed ones. Exit code 0 if everything agrees,
    else 2.
    """
    from ovrisisbench.prepare.storage.verifying import verify

    with _progress(silent=as_json) as progress:
        reports = verify(files, workers=workers, progress=progress)
    bad = [report for report in reports if not report.intact]
    if as_json:
        print_json({"intact": not bad, "files": [report.model_dump(mode="json") for report in reports]})
    else:
        for report in reports:
            _print(report)
    if bad:
        names = ", ".join(report.file for report in bad[:_LISTED])
        more = f" and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
        raise DataError(
            f"{len(bad):,} of {len(reports):,} file(s) did not pass ({names}{more}); prepare them again with "
            "'ovrisis-bench prepare --overwrite'."
        )


@contextmanager
def _progress(*, silent: bool) -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=silent or not errors.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def update(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(escape(file), total=total)
            bars.update(tasks[file], completed=done)

        yield update


def _print(report: VerifyReport) -> None:
    from rich.markup import escape

    out = console()
    name = escape(report.file)
    if report.digest is None:
        out.print(f"{name}  [red]not readable[/red]: {escape(report.problem)}", soft_wrap=True)
        return
    state = "[green]intact[/green]" if report.intact else "[red]not intact[/red]"
    read = f"{report.checked:,} of {report.samples:,} images read"
    damaged = f", {len(report.damaged):,} damaged" if report.damaged else ""
    out.print(f"{name}  {state}: {read}{damaged}, fingerprint {report.digest[:12]}", soft_wrap=True)
    for sentence in (report.problem, *report.findings):
        if sentence:
            out.print(f"    {escape(sentence)}", soft_wrap=True)
    for sample in report.damaged[:_LISTED]:
        out.print(f"    {escape(sample.id)}: {escape(', '.join(sample.problems))}", soft_wrap=True)
    if len(report.damaged) > _LISTED:
        out.print(f"    and {len(report.damaged) - _LISTED:,} more damaged images; --json lists all")
