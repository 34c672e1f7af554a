"""``ovrisis-bench checkpoint``: the checkpoint doctor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.adapter.doctor import Diagnosis
    from ovrisisbench.adapter.interface import CheckpointReport
    from ovrisisbench.adapter.own_files import WeightsCard

__all__ = ["command"]

_MOST_KEYS = 8


@click.command(name="checkpoint")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> int:
    """Tell which model, backbone and vocabulary the weights in FILE are for.

    Of a file with a card, the card is shown too: what trained it, on what, by which recipe. Nothing
    in the file is executed. Exit code 0 when a model knows the file, nothing is missing in it, and
    its card agrees with its tensors, else 1.
    """
    from ovrisisbench.adapter.examination import examine_checkpoint

    found = examine_checkpoint(file)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found.diagnosis)
        if found.card is not None:
            _print_card(found.card, found.unlearned, found.disagreements)
    return 0 if found.is_right else 1


def _print_card(card: WeightsCard, tables: Sequence[str], disagreements: Sequence[str]) -> None:
    from rich.markup import escape

    out = console()
    out.print("[bold]Its card[/bold]")
    for name, value in (
        ("what", f"{card.model}, backbone {card.backbone}"),
        ("settings", _pairs(card.settings)),
        ("trained on", card.train_set or "not said"),
        ("data", card.data_digest or ""),
        ("protocol", f"{card.protocol} {card.protocol_id or ''}".strip() if card.protocol else ""),
        ("classes", f"{len(card.vocabulary)}: {', '.join(card.vocabulary)}" if card.vocabulary else ""),
        ("recipe", _pairs(card.recipe)),
        ("iterations", "" if card.iterations is None else f"{card.iterations:,}"),
        ("seed", "" if card.seed is None else str(card.seed)),
        ("versions", _pairs(card.versions)),
        ("command", " ".join(card.command)),
        ("note", card.note or ""),
        ("stored as", card.stored_as or ""),
        ("shares with", ", ".join(f"{share.file} ({len(share.tensors)} tensors)" for share in card.shares)),
    ):
        if value:
            out.print(f"  {name:<11} {escape(value)}")
    for sentence in tables:
        out.print(f"  - {escape(sentence)}")
    for sentence in disagreements:
        out.print(f"  [red]contradiction[/red]: {escape(sentence)}")


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


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
