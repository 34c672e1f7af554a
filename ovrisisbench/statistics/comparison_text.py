"""A comparison in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ovrisisbench.statistics.figures import FIGURES, Figure
from ovrisisbench.statistics.intervals import MIN_SCENES

if TYPE_CHECKING:
    from ovrisisbench.statistics.comparison import Contest, Pair
    from ovrisisbench.statistics.competitors import RecordComparison
    from ovrisisbench.statistics.differences import Difference
    from ovrisisbench.statistics.intervals import Interval

__all__ = ["FIGURE_NAMES", "p_words", "percent", "print_comparison", "signed", "with_interval"]

FIGURE_NAMES: Mapping[Figure, str] = {"miou": "mIoU", "macc": "mACC", "fwiou": "fwIoU", "pacc": "pACC"}
_NONE = "–"


def print_comparison(comparison: RecordComparison, console: Console, *, figure: Figure = "miou") -> None:
    """Print all tables; names are printed as they are, never read as markup.

    Args:
        comparison: what to print.
        console: where to.
        figure: by which more than two models are ranked; of two models all figures are shown.
    """
    settings = comparison.settings
    console.print(Text(f"Protocol {comparison.protocol}, metric convention {settings.convention}"))
    for one in comparison.competitors:
        console.print(Text(f"{one.letter}  {one.words}"))
    if comparison.classes is not None:
        console.print(Text(f"Averaged over the classes {', '.join(comparison.classes)} alone."))
    console.print()
    if len(comparison.competitors) == 2:
        _print_two(comparison, console)
    else:
        _print_many(comparison, console, figure)
    for note in _closing(comparison):
        console.print(Text(note))


def _print_two(comparison: RecordComparison, console: Console) -> None:
    table = Table(title="A against B, percent", title_justify="left")
    for heading in ("data set", "figure"):
        table.add_column(heading)
    _difference_columns(table, comparison, corrected=False)
    for scope, contest in _scopes(comparison):
        for index, figure in enumerate(FIGURES):
            cells = _difference_cells(contest.pairs[0].figures[figure], None, corrected=False)
            table.add_row(Text(scope if index == 0 else ""), FIGURE_NAMES[figure], *cells, end_section=index == 3)
    console.print(table)
    for key, contest in comparison.contests.items():
        _print_classes(comparison, key, contest.pairs[0], console)


def _print_classes(comparison: RecordComparison, key: str, pair: Pair, console: Console) -> None:
    table = Table(title=Text(f"{key}: IoU by class, percent"), title_justify="left")
    table.add_column("class", overflow="fold")
    _difference_columns(table, comparison, corrected=True)
    for name, difference, adjusted in zip(comparison.class_names[key], pair.iou, pair.iou_p_adjusted, strict=True):
        if difference is not None:
            table.add_row(Text(name), *_difference_cells(difference, adjusted, corrected=True))
    console.print(table)


def _print_many(comparison: RecordComparison, console: Console, figure: Figure) -> None:
    letters = [one.letter for one in comparison.competitors]
    for scope, contest in _scopes(comparison):
        ranks = Table(
            title=Text(f"{scope}: {FIGURE_NAMES[figure]} in percent, and how often each rank"), title_justify="left"
        )
        ranks.add_column("model")
        ranks.add_column(f"{FIGURE_NAMES[figure]} [{_level(comparison)}]", justify="right")
        for rank in range(len(letters)):
            ranks.add_column(f"rank {rank + 1}", justify="right")
        order = sorted(range(len(letters)), key=lambda model: -(contest.values[model][figure] or 0.0))
        for model in order:
            shares = contest.ranks.get(figure)
            cells = [_share(share) for share in shares[model]] if shares else [_NONE] * len(letters)
            value = contest.values[model][figure]
            ranks.add_row(letters[model], with_interval(value, contest.intervals[model][figure]), *cells)
        console.print(ranks)
        pairs = Table(title=Text(f"{scope}: pairs"), title_justify="left")
        pairs.add_column("pair")
        _difference_columns(pairs, comparison, corrected=True)
        for pair in contest.pairs:
            cells = _difference_cells(pair.figures[figure], pair.p_adjusted[figure], corrected=True)
            pairs.add_row(f"{letters[pair.a]}, {letters[pair.b]}", *cells)
        console.print(pairs)


def _scopes(comparison: RecordComparison) -> list[tuple[str, Contest]]:
    scopes = list(comparison.contests.items())
    return scopes if comparison.mean is None else [*scopes, (f"mean of {len(scopes)}", comparison.mean)]


def _difference_columns(table: Table, comparison: RecordComparison, *, corrected: bool) -> None:
    level = _level(comparison)
    two = ["A", "B", f"A - B [{level}]", "A wins", "p"]
    headings = (
        two if len(comparison.competitors) == 2 else ["first", "second", f"difference [{level}]", "first wins", "p"]
    )
    headings += ["p (Holm)"] if corrected else []
    for heading in [*headings, "detectable"]:
        table.add_column(heading, justify="right", no_wrap=True)


def _difference_cells(difference: Difference | None, adjusted: float | None, *, corrected: bool) -> list[str]:
    if difference is None:
        return ["n/a"] * (7 if corrected else 6)
    cells = [
        percent(difference.a),
        percent(difference.b),
        with_interval(difference.difference, difference.interval, sign=True),
        _NONE if difference.wins is None else _share(difference.wins),
        p_words(difference.p),
    ]
    cells += [p_words(adjusted)] if corrected else []
    return [*cells, _NONE if difference.least_detectable is None else percent(difference.least_detectable)]


def _closing(comparison: RecordComparison) -> list[str]:
    settings = comparison.settings
    notes = [
        f"{settings.resamples} resamples of scenes, seed {settings.seed}.",
        "wins: share of the resamples in which the first is above the second. p: two-sided, of no difference.",
        f"detectable: true difference that so many such scenes show with a power of {settings.power:g}.",
    ]
    few = [f"{key} ({contest.scenes})" for key, contest in comparison.contests.items() if contest.scenes < MIN_SCENES]
    if few:
        notes.append(
            f"No interval where fewer than {MIN_SCENES} scenes tell how much scenes differ: "
            f"{', '.join(few)}" + ("; so the mean has none." if comparison.mean is not None else ".")
        )
    thin = [f"{key} ({contest.thin})" for key, contest in comparison.contests.items() if contest.thin and contest.parts]
    if thin:
        notes.append(
            f"Classes with truth in fewer than {MIN_SCENES} scenes, which make intervals less sure: {', '.join(thin)}."
        )
    if comparison.left_out:
        notes.append(f"Left out, since not all models have them: {', '.join(comparison.left_out)}.")
    return [*notes, *comparison.notes]


def _level(comparison: RecordComparison) -> str:
    return f"{100 * comparison.settings.level:g} %"


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with two decimals."""
    return f"{100 * fraction:.2f}"


def signed(fraction: float) -> str:
    """Return a difference as a percentage with its sign; a difference that is exactly zero has none."""
    return f"{100 * fraction:+.2f}" if fraction else "0.00"


def with_interval(value: float | None, interval: Interval | None, *, sign: bool = False) -> str:
    """Return a figure with its interval in brackets, where there is one."""
    if value is None:
        return "n/a"
    words = signed if sign else percent
    return words(value) if interval is None else f"{words(value)} [{words(interval.low)}, {words(interval.high)}]"


def p_words(p: float | None) -> str:
    """Return a p value as tables print it."""
    if p is None:
        return _NONE
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"
