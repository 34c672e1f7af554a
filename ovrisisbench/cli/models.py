"""``ovrisis-bench models``: the adapters found, with what they need."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.adapter import AdapterInfo, FoundAdapter

__all__ = ["command"]


@click.command(name="models")
@click.argument("model", required=False)
@json_option
def command(model: str | None, as_json: bool) -> None:
    """Show all models, or everything about one MODEL."""
    from ovrisisbench.adapter import find_adapter, list_adapters

    if model is not None:
        found = find_adapter(model)
        if as_json:
            print_json(_as_json(found))
        else:
            _print_one(found)
        return
    adapters, broken = list_adapters()
    if as_json:
        print_json({"models": [_as_json(found) for found in adapters], "broken": [asdict(entry) for entry in broken]})
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Models", title_justify="left", show_lines=True)
    for name in ("model", "what it is", "backbones", "weights", "origin"):
        table.add_column(name)
    for found in adapters:
        info = found.info
        weights = escape("\n".join(info.weights)) or "none needed"
        table.add_row(info.name, escape(info.summary), ", ".join(info.backbones), weights, escape(found.origin))
    out = console()
    out.print(table)
    for entry in broken:
        out.print(f"[red]broken[/red]: {escape(entry.name)} ({escape(entry.origin)}): {escape(entry.problem)}")
    out.print("Everything about one: ovrisis-bench models NAME")


def _as_json(found: FoundAdapter) -> dict[str, object]:
    info = found.info
    return {
        "name": info.name,
        "title": info.title,
        "summary": info.summary,
        "kind": info.kind,
        "origin": found.origin,
        "backbones": dict(info.backbones),
        "weights": list(info.weights),
        "beside": dict(info.beside),
        "trainable": bool(info.trainer),
        "pretrained": dict(info.pretrained),
        "prompts": info.prompts,
        "preprocessing": info.preprocessing,
        "settings": {name: asdict(setting) for name, setting in info.settings.items()},
        "paper": info.paper,
        "code": info.code,
        "licence": info.licence,
        "concurrent": info.concurrent,
        "reads_truth": info.reads_truth,
    }


def _print_one(found: FoundAdapter) -> None:
    from rich.markup import escape

    info = found.info
    out = console()
    out.print(f"[bold]{escape(info.title)}[/bold] ({info.name}): {escape(info.summary)}")
    for name, value in (
        ("kind", info.kind),
        ("paper", info.paper),
        ("code", info.code),
        ("licence", info.licence),
        ("origin", found.origin),
    ):
        if value:
            out.print(f"  {name:<9} {escape(value)}")
    out.print("[bold]Backbones[/bold] (--backbone)")
    for backbone, text in info.backbones.items():
        out.print(f"  {backbone}: {escape(text)}")
    if info.weights:
        out.print("[bold]Weights[/bold]")
        for line in info.weights:
            out.print(f"  - {escape(line)}")
    if info.beside:
        out.print("[bold]Beside the checkpoint[/bold] (--weights NAME=FILE)")
        for name, text in info.beside.items():
            out.print(f"  {escape(name)}: {escape(text)}")
    _print_training(info)
    for heading, text in (("Prompts", info.prompts), ("Images", info.preprocessing)):
        if text:
            out.print(f"[bold]{heading}[/bold]\n  {escape(text)}")
    if info.settings:
        out.print("[bold]Settings[/bold] (--set NAME=VALUE)")
        for name, setting in info.settings.items():
            choices = f" ({escape(' | '.join(setting.choices))})" if setting.choices else ""
            out.print(
                f"  {name} = {escape(setting.default or '(from the checkpoint)')}{choices}: {escape(setting.help)}"
            )


def _print_training(info: AdapterInfo) -> None:
    """Say what training starts from; nothing for a model that cannot be trained."""
    from rich.markup import escape

    if not info.trainer:
        return
    out = console()
    out.print("[bold]Training[/bold] (ovrisis-bench train)")
    out.print("  --clip-weights openai|FILE: CLIP; openai fetches the one of the official code")
    for name, text in info.pretrained.items():
        out.print(f"  --weights {escape(name)}=FILE: {escape(text)}")
