"""A comparison as JSON-like content: fractions, unrounded."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ovrisisbench.statistics.intervals import MIN_SCENES

if TYPE_CHECKING:
    from ovrisisbench.statistics.comparison import Contest, Pair
    from ovrisisbench.statistics.competitors import RecordComparison
    from ovrisisbench.statistics.differences import Difference

__all__ = ["comparison_content"]


def comparison_content(comparison: RecordComparison) -> dict[str, Any]:
    """Return everything that was computed."""
    letters = [one.letter for one in comparison.competitors]
    return {
        "format": 1,
        "settings": asdict(comparison.settings),
        "min_scenes": MIN_SCENES,
        "protocol": comparison.protocol,
        "classes": comparison.classes,
        "models": [
            {
                "letter": one.letter,
                "model": one.words,
                "records": {key: record.stem for key, (record, _) in one.records.items()},
            }
            for one in comparison.competitors
        ],
        "datasets": {
            key: _contest(contest, letters, comparison.class_names[key]) for key, contest in comparison.contests.items()
        },
        "mean": None if comparison.mean is None else _contest(comparison.mean, letters, ()),
        "left_out": list(comparison.left_out),
        "notes": list(comparison.notes),
    }


def _contest(contest: Contest, letters: list[str], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "images": contest.images,
        "scenes": contest.scenes,
        "thin_classes": contest.thin,
        "models": {
            letter: {
                figure: {"value": value, "interval": _interval(intervals[figure])} for figure, value in values.items()
            }
            for letter, values, intervals in zip(letters, contest.values, contest.intervals, strict=True)
        },
        "ranks": {
            figure: dict(zip(letters, map(list, shares), strict=True)) for figure, shares in contest.ranks.items()
        },
        "pairs": [_pair(pair, letters, names) for pair in contest.pairs],
    }


def _pair(pair: Pair, letters: list[str], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "a": letters[pair.a],
        "b": letters[pair.b],
        "figures": {
            figure: _difference(difference, pair.p_adjusted[figure]) for figure, difference in pair.figures.items()
        },
        "classes": [
            {"class": name, "iou": _difference(iou, adjusted), "acc": _difference(acc, None, corrected=False)}
            for name, iou, acc, adjusted in zip(names, pair.iou, pair.acc, pair.iou_p_adjusted, strict=False)
        ],
    }


def _difference(difference: Difference | None, adjusted: float | None, *, corrected: bool = True) -> Any:  # noqa: ANN401 - JSON
    if difference is None:
        return None
    content = asdict(difference)
    content["interval"] = _interval(difference.interval)
    return {**content, "p_adjusted": adjusted} if corrected else content


def _interval(interval: Any) -> Any:  # noqa: ANN401 - JSON
    if interval is None:
        return None
    return {"low": interval.low, "high": interval.high, "standard_error": interval.standard_error}
