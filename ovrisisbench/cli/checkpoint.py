"""``ovrisis-bench checkpoint``: the checkpoint doctor."""

from __future__ import annotations

from collections.abc import Mapping
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
    from ovrisisbench.adapter.doctor import diagnose
    from ovrisisbench.adapter.own_files import read_card
    from ovrisisbench.adapter.shared_tensors import partial_tables

    diagnosis = diagnose(file)
    card = read_card(file)
    tables = [] if card is None else [table.sentence for table in partial_tables(file, card)]
    disagreements = [] if card is None else _disagreements(card, diagnosis)
    if as_json:
        notes = {"unlearned": tables, "disagreements": disagreements}
        print_json({**diagnosis.to_json(), "card": None if card is None else card.model_dump(mode="json"), **notes})
    else:
        _print(diagnosis)
        if card is not None:
            _print_card(card, tables, disagreements)
    whole = [not (report.missing or report.misshapen) for report in diagnosis.reports]
    return 0 if whole and all(whole) and not disagreements else 1


def _disagreements(card: WeightsCard, diagnosis: Diagnosis) -> list[str]:
    """Say where the card and the tensors contradict each other; a card of no installed model is believed."""
    from ovrisisbench.adapter import list_adapters

    known = {report.model: report for report in diagnosis.reports}
    if card.model not in known:
        installed = {found.info.name for found in list_adapters()[0]}
        wrong = bool(known) and card.model in installed
        return [f"the card says model {card.model}, the tensors say {' or '.join(known)}"] if wrong else []
    report = known[card.model]
    told = {"backbone": (card.backbone, report.backbone)}
    told |= {name: (card.settings.get(name, value), value) for name, value in report.settings.items()}
    return [
        f"the card says {name} {of_card}, the tensors say {of_tensors}"
        for name, (of_card, of_tensors) in told.items()
        if of_card not in (of_tensors, "auto")
    ]


def _print_card(card: WeightsCard, tables: list[str], disagreements: list[str]) -> None:
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
