"""Options that every command which loads a model shares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ovrisisbench.adapter.precision import PRECISIONS
from ovrisisbench.adapter.training import CLIP_FROM_OPENAI
from ovrisisbench.benchmark.inputs import Loading

__all__ = ["clip_weights_given", "loading_options", "name_value_pairs", "weights_given"]

Result = TypeVar("Result")


def loading_options(function: Callable[..., Result]) -> Callable[..., Result]:
    """Add ``--backbone``, ``--checkpoint``, ``--weights``, ``--untrained``, ``--seed``, ``--set`` and so on.

    The command gets them together, as its keyword argument ``loading``.
    """

    @functools.wraps(function)
    def command(**given: Any) -> Result:  # noqa: ANN401 - click's values
        loading: Loading = {
            "backbone": given.pop("backbone"),
            "checkpoint": given.pop("checkpoint"),
            "untrained": given.pop("untrained"),
            "seed": given.pop("seed"),
            "device": given.pop("device"),
            "precision": given.pop("precision"),
            "settings": name_value_pairs(given.pop("settings"), "--set"),
            "weights": weights_given(given.pop("weights")),
        }
        return function(loading=loading, **given)

    options = [
        click.option(
            "--backbone",
            help="Backbone of the model; may be left out where it has only one (tiny not counted), or where the "
            "card of the checkpoint says it.",
        ),
        click.option("--checkpoint", type=click.Path(path_type=Path), help="File of trained weights."),
        click.option(
            "--weights",
            multiple=True,
            metavar="NAME=FILE",
            help="A file of weights that the model takes beside its checkpoint (see 'ovrisis-bench models NAME'); "
            "may be repeated.",
        ),
        click.option(
            "--untrained", is_flag=True, help="Use seeded random weights instead of a checkpoint; records say so."
        ),
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of random weights and draws."),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            help="Change a setting of the model (see 'ovrisis-bench models NAME'); may be repeated.",
        ),
        click.option(
            "--device",
            default="auto",
            show_default=True,
            help="auto, cpu, cuda or cuda:N.",
        ),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default="float32",
            show_default=True,
            help="Arithmetic of matrix products; others than float32 move pixels and are written into the record.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def weights_given(pairs: Sequence[str]) -> dict[str, Path]:
    """Turn the ``NAME=FILE`` texts of ``--weights`` into a dictionary.

    Raises:
        click.BadParameter: as :func:`name_value_pairs`.
    """
    return {name: Path(path) for name, path in name_value_pairs(pairs, "--weights").items()}


def clip_weights_given(text: str | None) -> str | Path | None:
    """Tell the word for the official CLIP from a file, both given to ``--clip-weights``."""
    return Path(text) if text not in (None, CLIP_FROM_OPENAI) else text


def name_value_pairs(pairs: Sequence[str], option: str) -> dict[str, str]:
    """Turn ``NAME=VALUE`` texts of an option into a dictionary.

    Raises:
        click.BadParameter: a text without ``=``, or a name given twice.
    """
    settings: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise click.BadParameter(f"'{pair}' is not NAME=VALUE.", param_hint=option)
        if name in settings:
            raise click.BadParameter(f"'{name}' is given twice.", param_hint=option)
        settings[name] = value
    return settings
