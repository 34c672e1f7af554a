"""An explanation in a terminal, and as JSON-like content."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ovrisisbench.statistics.comparison_text import FIGURE_NAMES, p_words, percent, signed, with_interval
from ovrisisbench.statistics.figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovrisisbench.statistics.explanation import Explanation
    from ovrisisbench.statistics.identities import FieldDifference
    from ovrisisbench.statistics.published_gap import PublishedExplanation

__all__ = ["explanation_content", "print_explanation", "print_published_explanation", "published_content"]

_UNDEFINED = "n/a"
_PARTS = ("convention", "images", "classes")
"""What is made equal step by step, after the figures as recorded."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print the fields that differ, the gap step by step, and what remains."""
    console.print(Text(f"A  {explanation.a}\nB  {explanation.b}\n"))
    changing = [field for field in explanation.fields if field.changes_a_number]
    others = [field for field in explanation.fields if not field.changes_a_number]
    _print_fields("Differs, and changes a number", changing, console)
    _print_fields("Differs, and should not change a number", others, console)
    if not changing:
        console.print(Text("Nothing that should change a number differs."))
    console.print()
    table = Table(title="The gap A - B and what of it is counting, percent", title_justify="left")
    table.add_column("figure")
    for heading in ("A", "B", "A - B", *_PARTS, "rest"):
        table.add_column(heading, justify="right", no_wrap=True)
    first, last = explanation.steps[0], explanation.steps[-1]
    for figure in FIGURES:
        gaps = [step.gap(figure) for step in explanation.steps]
        parts = [_signed(None if one is None or two is None else one - two) for one, two in pairwise(gaps)]
        cells = [_percent(first.a[figure]), _percent(first.b[figure]), _signed(gaps[0]), *parts]
        table.add_row(FIGURE_NAMES[figure], *cells, _signed(last.gap(figure)))
    console.print(table)
    for part, step in zip(_PARTS, explanation.steps[1:], strict=True):
        console.print(Text(f"{part}: {step.words}"))
    for convention, (one, other) in explanation.by_convention.items():
        console.print(Text(f"mIoU under {convention}: A {_percent(one)}, B {_percent(other)}"))
    _print_rest(explanation, console)
    console.print(Text(explanation.conclusion))


def print_published_explanation(explanation: PublishedExplanation, console: Console) -> None:
    """Print what a printed row claims otherwise, and its figures beside the measured ones."""
    console.print(Text(f"A  measured: {explanation.measured}\nB  published: {explanation.published}\n"))
    _print_fields("The print claims otherwise", explanation.claims, console)
    table = Table(title=Text(f"{explanation.dataset}, percent"), title_justify="left")
    table.add_column("figure")
    conventions = list(next(iter(explanation.figures.values())).by_convention)
    headings = ["printed", "measured", "measured - printed", *(f"under {name}" for name in conventions), "classes"]
    for heading in headings:
        table.add_column(heading, justify="right")
    names = {str(figure): name for figure, name in FIGURE_NAMES.items()}
    for metric, figure in explanation.figures.items():
        gap = _UNDEFINED if figure.recorded is None else signed(figure.recorded - figure.printed)
        table.add_row(
            names[metric],
            percent(figure.printed),
            with_interval(figure.recorded, figure.interval),
            gap,
            *(_percent(figure.by_convention[name]) for name in conventions),
            f"{figure.classes[0]} of {figure.classes[1]}",
        )
    console.print(table)
    for metric, figure in explanation.figures.items():
        nearer = figure.explained_by_convention
        if nearer is not None:
            value = figure.by_convention[nearer]
            console.print(Text(f"{names[metric]} is nearer to the print under {nearer}: {_percent(value)}."))
        if figure.interval is not None:
            inside = figure.interval.low <= figure.printed <= figure.interval.high
            level = f"{100 * figure.interval.level:g} %"
            console.print(
                Text(f"The printed {names[metric]} lies {'inside' if inside else 'outside'} the {level} interval.")
            )
    console.print(Text(f"A print does not prove: {', '.join(explanation.unstated)}."))


def explanation_content(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON-like content: fractions, unrounded."""
    content = asdict(explanation)
    content["steps"] = [
        {
            "name": step.name,
            "words": step.words,
            "a": dict(step.a),
            "b": dict(step.b),
            "gap": {figure: step.gap(figure) for figure in FIGURES},
        }
        for step in explanation.steps
    ]
    content["by_convention"] = {name: list(pair) for name, pair in explanation.by_convention.items()}
    return {"format": 1, "kind": "records", **content, "conclusion": explanation.conclusion}


def published_content(explanation: PublishedExplanation) -> dict[str, Any]:
    """Return a comparison with a printed row as JSON-like content: fractions, unrounded."""
    content = asdict(explanation)
    for metric, figure in explanation.figures.items():
        content["figures"][metric]["explained_by_convention"] = figure.explained_by_convention
    return {"format": 1, "kind": "published", **content}


def _print_fields(title: str, fields: Sequence[FieldDifference], console: Console) -> None:
    if not fields:
        return
    table = Table(title=title, title_justify="left")
    for heading in ("part", "field", "A", "B"):
        table.add_column(heading, overflow="fold")
    for field in fields:
        table.add_row(Text(field.part), Text(field.field), Text(field.a), Text(field.b))
    console.print(table)


def _print_rest(explanation: Explanation, console: Console) -> None:
    if explanation.rest_problem:
        console.print(Text(f"The rest has no interval: {explanation.rest_problem.rstrip('.')}."))
        return
    difference = explanation.rest["miou"]
    if difference is None:
        return
    words = with_interval(difference.difference, difference.interval, sign=True)
    p = "" if difference.p is None else f", p {p_words(difference.p)}"
    console.print(Text(f"The rest, mIoU: {words}{p}."))


def _signed(value: float | None) -> str:
    return _UNDEFINED if value is None else signed(value)


def _percent(value: float | None) -> str:
    return _UNDEFINED if value is None else percent(value)
