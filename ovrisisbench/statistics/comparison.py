"""Two or more models on the same images: who is better, by how much, and how sure that is.

All models are resampled together: each resample draws scenes once and asks
every model about the same ones. What makes a scene hard for all of them then
cancels in the differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import RecordError
from ovrisisbench.statistics.correction import holm
from ovrisisbench.statistics.differences import POWER, Difference, check_power, difference_of, rank_shares
from ovrisisbench.statistics.figures import FIGURES, Figure, Measure
from ovrisisbench.statistics.intervals import (
    LEVEL,
    MIN_SCENES,
    Interval,
    check_level,
    interval_of,
    thin_classes,
)
from ovrisisbench.statistics.resampling import RESAMPLES, SEED
from ovrisisbench.statistics.scenes import SceneSums, scene_sums
from ovrisisbench.statistics.spread import Resampled, Spread, figure_columns, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records.counts import CountsTable

__all__ = ["Contest", "Pair", "Settings", "compare_models", "mean_contest", "paired_comparison"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How comparisons are made."""

    convention: Convention = "detectron2"
    resamples: int = RESAMPLES
    seed: int = SEED
    level: float = LEVEL
    power: float = POWER

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            EvaluationError: names the setting.
        """
        check_level(self.level, self.resamples)
        check_power(self.power)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two of the models that were compared."""

    a: int
    """Position of A among the models."""
    b: int
    figures: Mapping[Figure, Difference | None]
    """None where undefined."""
    iou: tuple[Difference | None, ...] = ()
    """By class; empty for a mean over data sets. None for a class without truth or that is not averaged over."""
    acc: tuple[Difference | None, ...] = ()
    p_adjusted: Mapping[Figure, float | None]
    """By Holm over all pairs of this contest, for each figure on its own."""
    iou_p_adjusted: tuple[float | None, ...] = ()
    """By Holm over the classes of this pair."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contest:
    """M models on one data set, or their means over several."""

    scenes: int
    images: int
    values: tuple[Mapping[Figure, float | None], ...]
    """Of each model, as fractions."""
    intervals: tuple[Mapping[Figure, Interval | None], ...]
    pairs: tuple[Pair, ...]
    """Every model with every later one."""
    ranks: Mapping[Figure, tuple[tuple[float, ...], ...]]
    """How often each model has each rank, see :func:`rank_shares`; empty where there are too few scenes."""
    parts: tuple[Resampled, ...]
    """Of each model, for means; empty where there are too few scenes."""
    thin: int
    """Averaged classes with truth in fewer than :data:`MIN_SCENES` scenes."""


def paired_comparison(
    counts_a: CountsTable,
    counts_b: CountsTable,
    *,
    convention: Convention = "detectron2",
    classes: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    power: float = POWER,
) -> Pair:
    """Compare two models on one data set.

    Args:
        counts_a: of A.
        counts_b: of B, on the same images with the same truth.
        convention: of the metrics.
        classes: indices of the classes to average over; all if None.
        resamples: of scenes.
        seed: of the draws.
        level: of the intervals.
        power: of the least detectable differences.

    Raises:
        RecordError: the images, their scenes or their truth differ.
        EvaluationError: a setting that cannot be.
    """
    settings = Settings(convention=convention, resamples=resamples, seed=seed, level=level, power=power)
    return compare_models([counts_a, counts_b], settings, classes=classes).pairs[0]


def compare_models(
    counts: Sequence[CountsTable],
    settings: Settings | None = None,
    *,
    classes: Sequence[int] | None = None,
    stream: int = 0,
) -> Contest:
    """Compare models on one data set, every one with every other.

    Args:
        counts: of at least one model, all on the same images with the same truth.
        settings: how; the defaults if None.
        classes: indices of the classes to average over; all if None.
        stream: different for each data set of a mean.

    Raises:
        RecordError: the images, their scenes or their truth differ.
        EvaluationError: a setting that cannot be.
    """
    settings = settings or Settings()
    settings.check()
    sums = [scene_sums(table) for table in counts]
    _check_same(counts, sums)
    models = [(one, Measure.of(one.total, settings.convention, classes)) for one in sums]
    parts = (
        resampled(models, by_class=True, resamples=settings.resamples, seed=settings.seed, stream=stream)
        if len(sums[0]) >= MIN_SCENES
        else []
    )
    seen_enough = np.tile(sums[0].scenes_with_truth >= MIN_SCENES, 2)
    return _contest(
        [figure_columns(measure, one.total, by_class=True) for one, measure in models],
        [[part] for part in parts],
        settings,
        known=np.concatenate([np.ones(len(FIGURES), np.bool_), seen_enough]),
        images=len(counts[0]),
        scenes=len(sums[0]),
        thin=thin_classes(*models[0]),
    )


def mean_contest(contests: Sequence[Contest], settings: Settings | None = None) -> Contest:
    """Compare the unweighted means over data sets.

    Args:
        contests: the same models in the same order on each data set, with a stream of its own for each.
        settings: as for the contests.
    """
    settings = settings or Settings()
    width = len(FIGURES)
    models = range(len(contests[0].values))
    estimates = [
        np.mean([[_number(contest.values[model][figure]) for figure in FIGURES] for contest in contests], axis=0)
        for model in models
    ]
    whole = all(contest.parts for contest in contests)
    parts = [[contest.parts[model].columns(width) for contest in contests] for model in models] if whole else []
    return _contest(
        estimates,
        parts,
        settings,
        known=np.ones(width, np.bool_),
        images=sum(contest.images for contest in contests),
        scenes=sum(contest.scenes for contest in contests),
        thin=sum(contest.thin for contest in contests),
    )


def _contest(
    estimates: Sequence[NDArray[np.float64]],
    parts: Sequence[Sequence[Resampled]],
    settings: Settings,
    *,
    known: NDArray[np.bool_],
    images: int,
    scenes: int,
    thin: int,
) -> Contest:
    """Put a contest together; ``parts`` are by model and data set, ``known`` tells columns with enough scenes."""
    spreads = [Spread.of(own) for own in parts]
    columns = list(enumerate(FIGURES))

    def intervals(spread: Spread) -> dict[Figure, Interval | None]:
        return {
            figure: interval_of(spread, column, seed=settings.seed, level=settings.level, thin=thin)
            for column, figure in columns
        }

    pairs = []
    for a, b in combinations(range(len(estimates)), 2):
        spread = Spread.of([one - other for one, other in zip(parts[a], parts[b], strict=True)]) if parts else None
        pairs.append(_pair((a, b), (estimates[a], estimates[b]), spread, settings, known=known, thin=thin))
    return Contest(
        scenes=scenes,
        images=images,
        values=tuple({figure: _value(own[column]) for column, figure in columns} for own in estimates),
        intervals=tuple(map(intervals, spreads)) or tuple(dict.fromkeys(FIGURES) for _ in estimates),
        pairs=_corrected(pairs),
        ranks={
            figure: rank_shares(np.stack([spread.replicates[:, column] for spread in spreads], axis=1))
            for column, figure in columns
            if spreads and all(np.isfinite(own[column]) for own in estimates)
        },
        parts=tuple(own[0] for own in parts if len(own) == 1),
        thin=thin,
    )


def _pair(
    names: tuple[int, int],
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
    spread: Spread | None,
    settings: Settings,
    *,
    known: NDArray[np.bool_],
    thin: int,
) -> Pair:
    differences = [
        difference_of(
            float(values[0][column]),
            float(values[1][column]),
            spread if known[column] else None,
            column,
            seed=settings.seed,
            level=settings.level,
            power=settings.power,
            thin=thin if column < len(FIGURES) else 0,
        )
        for column in range(len(known))
    ]
    classes = (len(known) - len(FIGURES)) // 2
    by_class = differences[len(FIGURES) :]
    return Pair(
        a=names[0],
        b=names[1],
        figures=dict(zip(FIGURES, differences[: len(FIGURES)], strict=True)),
        iou=tuple(by_class[:classes]),
        acc=tuple(by_class[classes:]),
        p_adjusted=dict.fromkeys(FIGURES),
        iou_p_adjusted=tuple(holm([_p(difference) for difference in by_class[:classes]])),
    )


def _corrected(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Correct the p values of each figure over all pairs."""
    adjusted = {figure: holm([_p(pair.figures[figure]) for pair in pairs]) for figure in FIGURES}
    return tuple(
        replace(pair, p_adjusted={figure: adjusted[figure][index] for figure in FIGURES})
        for index, pair in enumerate(pairs)
    )


def _p(difference: Difference | None) -> float | None:
    return None if difference is None else difference.p


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _value(number: np.float64) -> float | None:
    return float(number) if np.isfinite(number) else None


def _check_same(counts: Sequence[CountsTable], sums: Sequence[SceneSums]) -> None:
    """Refuse models that were not asked about the same images.

    Raises:
        RecordError: says what differs.
    """
    first = counts[0]
    for table, own in zip(counts[1:], sums[1:], strict=True):
        if table.ids != first.ids:
            only = len(set(table.ids) ^ set(first.ids))
            raise RecordError(
                f"The models were tested on different images ({only} of them on one side only), so they cannot be "
                "paired; 'ovrisis-bench explain' compares two records on their common images."
            )
        if table.scenes != first.scenes:
            raise RecordError("The images are put into different scenes, so they cannot be resampled together.")
        if table.num_classes != first.num_classes or not np.array_equal(own.sums[:, 0], sums[0].sums[:, 0]):
            raise RecordError("The labels of the images differ in their counts, so the models cannot be paired.")
