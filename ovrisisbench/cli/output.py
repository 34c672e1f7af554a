"""What commands have in common: options, lists on the command line, bars, JSON for machines, text for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = [
    "console",
    "data_option",
    "json_option",
    "keep_label_maps_option",
    "listed",
    "print_json",
    "progress_bars",
    "results_option",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print the same as JSON, for machines.")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder with prepared data sets.",
)

results_option = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for records.",
)

keep_label_maps_option = click.option(
    "--keep-label-maps",
    is_flag=True,
    help="Keep every predicted label map as a PNG beside its record, for 'ovrisis-bench report'.",
)


def console() -> Console:
    """Return the console for results: standard output, at least 100 columns when it is not a terminal."""
    from rich.console import Console

    plain = Console(highlight=False, soft_wrap=False)
    return plain if plain.is_terminal else Console(highlight=False, width=max(plain.width, 120))


def listed(text: str) -> list[str]:
    """Return the words of a list that was typed with commas.

    Example:
        >>> listed("loveda, vdd,")
        ['loveda', 'vdd']
    """
    return [word.strip() for word in text.split(",") if word.strip()]


def progress_bars(*, quiet: bool = False, remaining: bool = True) -> Progress:
    """Return bars on standard error: description, bar, how many of how many, and the time that is left.

    Args:
        quiet: show nothing, nor what is printed above the bars.
        remaining: whether the time is shown.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns, *([TimeRemainingColumn()] if remaining else []), console=Console(stderr=True, quiet=quiet)
    )


def print_json(content: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print JSON with sorted keys and two spaces, without colours."""
    click.echo(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False))
