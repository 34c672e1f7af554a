"""What all commands print alike: JSON for machines, rich text for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "json_option", "print_json"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print the same as JSON, for machines.")


def console() -> Console:
    """Return the console for results: standard output, at least 100 columns when it is not a terminal."""
    from rich.console import Console

    plain = Console(highlight=False, soft_wrap=False)
    return plain if plain.is_terminal else Console(highlight=False, width=max(plain.width, 120))


def print_json(content: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print JSON with sorted keys and two spaces, without colours."""
    click.echo(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False))
