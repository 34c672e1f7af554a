"""``ovrisis-bench checkpoint``: the checkpoint doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.adapter.doctor import Diagnosis
    from ovrisisbench.adapter.interface import CheckpointReport

__all__ = ["command"]

_MOST_KEYS = 8


@click.command(name="checkpoint")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> int:
    """Tell which model, backbone and vocabulary the weights in FILE are for.

    Nothing in the file is executed. Exit code 0 when a model knows the file and
    nothing is missing in it, else 1.
    """
    from ovrisisbench.adapter.doctor import diagnose

    diagnosis = diagnose(file)
    if as_json:
        print_json(diagnosis.to_json())
    else:
        _print(diagnosis)
    whole = [not (report.missing or report.misshapen) for report in diagnosis.reports]
    return 0 if whole and all(whole) else 1


def _print(diagnosis: Diagnosis) -> None:
    from rich.markup import escape

    out = console()
    out.print(
        f"[bold]{escape(diagnosis.file)}[/bold]: {diagnosis.tensors:,} tensors, {diagnosis.parameters:,} values, "
        f"sha256 {diagnosis.sha256[:12]}"
    )
    for sentence in diagnosis.skipped:
        out.print(f"[red]skipped[/red]: {escape(sentence)}")
    if not diagnosis.reports:
        prefixes = ", ".join(diagnosis.key_prefixes[:_MOST_KEYS])
        out.print(f"No installed model knows these weights. Its keys begin with {escape(prefixes)}.")
    for report in diagnosis.reports:
        _print_report(report)


def _identity(report: CheckpointReport) -> str:
    """Say whose file it is, in one sentence."""
    from ovrisisbench.adapter import find_adapter

    info = find_adapter(report.model).info
    size = "any vocabulary" if report.vocabulary_size is None else f"{report.vocabulary_size} classes"
    trained = "" if report.trained_classes is None else f", trained with {report.trained_classes} classes"
    return (
        f"This is {info.title} (--model {info.name}), backbone {report.backbone} "
        f"({info.backbones.get(report.backbone, 'unknown')}), for {size}{trained}."
    )


def _print_report(report: CheckpointReport) -> None:
    from rich.markup import escape

    out = console()
    out.print(escape(_identity(report)))
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    if settings:
        out.print(f"Read from it: {escape(settings)}.")
    for sentence in report.outside:
        out.print(f"  [yellow]needed beside it[/yellow]: {escape(sentence)}")
    for sentence in (*report.ambiguous, *report.ignored):
        out.print(f"  - {escape(sentence)}")
    out.print(
        f"{len(report.missing)} keys missing, {len(report.unused)} unused, {len(report.misshapen)} of a wrong shape."
    )
    for name, keys in (("missing", report.missing), ("unused", report.unused), ("wrong shape", report.misshapen)):
        for key in keys[:_MOST_KEYS]:
            out.print(f"  {name}: {escape(key)}")
        if len(keys) > _MOST_KEYS:
            out.print(f"  {name}: and {len(keys) - _MOST_KEYS} more (all of them with --json)")
