"""The command line ``ovrisis-bench``: one thin file a command that parses, calls one Python function and prints.

Subcommands are imported when they are called, so that ``--help`` answers
without loading torch, numpy, pandas or h5py.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from ovrisisbench import __version__
from ovrisisbench.errors import OvrisisBenchError, did_you_mean

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS: dict[str, tuple[str, str]] = {
    "datasets": ("datasets", "Show the data sets: classes, splits, licence, what to download."),
    "vocabulary": ("vocabulary", "Show class names, and which of them a training set has shown."),
    "models": ("models", "Show the models that can be run, and what weights they need."),
    "prepare": ("prepare", "Turn a download into a verified, fingerprinted HDF5 file."),
    "inspect": ("inspect", "Show what a prepared data set holds, also as a page."),
    "verify": ("verify", "Read prepared data sets again and compare every pixel."),
    "duplicates": ("duplicates", "Find images that show the same, across splits and data sets."),
    "run": ("run", "Measure a model on prepared data sets."),
    "score": ("score", "Count predictions that were made elsewhere, by anything."),
    "predict": ("predict", "Label a picture of your own with words of your own."),
    "train": ("train", "Train a model by its official recipe."),
    "ablate": ("ablate", "Train a model without some of its parts, and show what they are worth."),
    "leaderboard": ("leaderboard", "Build the table of measured and published results."),
    "conformance": ("conformance", "Compare measured figures with published ones."),
    "audit": ("audit", "Check whether published tables agree with themselves and each other."),
    "compare": ("compare", "Compare models on the same images: differences, intervals, ranks."),
    "explain": ("explain", "Explain why two figures differ: fields, convention, images, classes."),
    "check-record": ("check_record", "Check records and their counts before they are shared."),
    "report": ("report", "Write the records as pages that open from the disk."),
    "speed": ("speed", "Time models on this machine: milliseconds, parameters, operations, memory."),
    "checkpoint": ("checkpoint", "Tell which model a file of weights is for, and what it lacks."),
    "convert": ("convert", "Write official weights as safetensors with a card, or back."),
    "check-adapter": ("check_adapter", "Test whether an adapter keeps the contract."),
    "mini": ("mini", "Draw the eight small data sets of the mini world."),
    "demo": ("demo", "Draw the mini world and run the whole benchmark on it."),
}
"""Command -> (module in this package, one line of help)."""


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are needed, never for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command '{args[0]}'.{did_you_mean(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ovrisis-bench")
def cli() -> None:
    """Measure open-vocabulary segmentation models on overhead imagery, and trust the number."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a check failed, 2 a mistake in the input, 130 interrupted."""
    try:
        status = cli.main(
            args=None if arguments is None else list(arguments), prog_name="ovrisis-bench", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except OvrisisBenchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; start the same command again to continue where it stopped", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
