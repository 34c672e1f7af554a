"""``ovrisis-bench convert``: weights from one form of file into another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.adapter.conversion import Conversion

__all__ = ["command"]


@click.command(name="convert")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--train-set", help="What the weights were trained on, for the card of OUT: a data set such as dlrsd.")
@click.option("--model", help="Whose file IN is, where several models know it.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@json_option
def command(
    *, source: Path, target: Path, train_set: str | None, model: str | None, overwrite: bool, as_json: bool
) -> None:
    """Write the weights in IN as OUT, values and key names unchanged.

    OUT ends in .safetensors, for a file with a card that says what the weights are, or in .pth, for
    a torch file as official code reads it. What is not weights, such as the state of an optimiser,
    is left out. IN must be a whole file of an installed model.
    """
    from ovrisisbench.adapter.conversion import convert
    from ovrisisbench.records.provenance import command_words

    words = command_words(["ovrisis-bench", *sys.argv[1:]])
    done = convert(source, target, train_set=train_set, model=model, overwrite=overwrite, command=words)
    if as_json:
        print_json(done.to_json())
    else:
        _print(done)


def _print(done: Conversion) -> None:
    from rich.markup import escape

    out = console()
    trained = "" if done.train_set is None else f", trained on {done.train_set}"
    out.print(
        f"[bold]{escape(done.target)}[/bold]: {done.tensors:,} tensors, {done.parameters:,} values of "
        f"{escape(done.model)} ({escape(done.backbone)}{escape(trained)}), sha256 {done.sha256[:12]}"
    )
    if done.left_out:
        out.print(f"Left out of {escape(done.source)}, being no weights: {escape(', '.join(done.left_out))}.")
    if done.unused:
        out.print(f"Kept, although nothing reads them: {escape(', '.join(done.unused))}.")
    for sentence in done.outside:
        out.print(f"  [yellow]needed beside it[/yellow]: {escape(sentence)}")
