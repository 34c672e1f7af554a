"""How much of the gap between two figures the counting explains: convention, images, classes; the rest is the models'.

Both records are computed again under one convention, then on the images that
both have, then over the classes that both average over. What a step takes from
the gap is its part. The parts and the rest sum to the gap exactly; in another
order single parts could come out otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.statistics.figures import FIGURES, Figure, Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records import CountsTable, Record

__all__ = ["GapStep", "Side", "gap_steps", "pixel_sums"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapStep:
    """The figures of both records, counted alike in one more respect than in the step before."""

    name: str
    """``as recorded``, ``same convention``, ``same images``, ``same classes``."""
    words: str
    """What was made equal, or why it could not be."""
    a: Mapping[Figure, float | None]
    b: Mapping[Figure, float | None]
    classes: tuple[list[int], list[int]] | None = None
    """Positions of the classes averaged over in A's and in B's vocabulary; None for all."""

    def gap(self, figure: Figure) -> float | None:
        """Return a - b, None where one of them is undefined."""
        one, other = self.a[figure], self.b[figure]
        return None if one is None or other is None else one - other


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two records, with its counts where they are at hand."""

    record: Record
    counts: CountsTable | None

    def total(self, images: Sequence[str] | None = None) -> NDArray[np.float64]:
        """Return (3, K) truth, prediction, found; of some images only where there are counts."""
        if images is None or self.counts is None:
            return pixel_sums(self.record.confusion_array)
        return pixel_sums(self.counts.of_images(images).confusion())


def pixel_sums(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (3, K) truth, prediction and found of a (K, K) confusion matrix, rows truth."""
    return np.stack([confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()]).astype(np.float64)


def gap_steps(a: Side, b: Side, convention: Convention) -> tuple[GapStep, ...]:
    """Return the figures as recorded and after each step.

    Args:
        a: one record.
        b: the other.
        convention: that both are computed under from the second step on.
    """
    own = (a.record.metrics.convention, b.record.metrics.convention)
    totals = (a.total(), b.total())
    steps = [_step("as recorded", "", totals, own)]
    same = "the same in both" if own[0] == own[1] == convention else f"both under {convention}"
    both = (convention, convention)
    steps.append(_step("same convention", same, totals, both))
    images, words = _common_images(a, b)
    if images is not None:
        totals = (a.total(images), b.total(images))
    steps.append(_step("same images", words, totals, both))
    classes, words = _common_classes(a, b, totals, convention)
    steps.append(_step("same classes", words, totals, both, classes))
    return tuple(steps)


def _step(
    name: str,
    words: str,
    totals: tuple[NDArray[np.float64], NDArray[np.float64]],
    conventions: tuple[Convention, Convention],
    classes: tuple[list[int], list[int]] | None = None,
) -> GapStep:
    chosen = classes or (None, None)
    one, other = (
        _figures(total, convention, some) for total, convention, some in zip(totals, conventions, chosen, strict=True)
    )
    return GapStep(name=name, words=words, a=one, b=other, classes=classes)


def _figures(
    total: NDArray[np.float64], convention: Convention, classes: list[int] | None
) -> dict[Figure, float | None]:
    if classes is not None and not classes:
        return dict.fromkeys(FIGURES)
    found = Measure.of(total, convention, classes).figures(total)
    return {figure: float(value) if np.isfinite(value) else None for figure, value in found.items()}


def _common_images(a: Side, b: Side) -> tuple[list[str] | None, str]:
    if a.counts is None or b.counts is None:
        return None, "not made equal: the per-image counts are missing"
    common = sorted(set(a.counts.ids) & set(b.counts.ids))
    if len(common) == len(a.counts) == len(b.counts):
        return None, "the same in both"
    if not common:
        return None, "not made equal: no image is in both"
    return common, f"{len(common)} images are in both, of {len(a.counts)} and {len(b.counts)}"


def _common_classes(
    a: Side, b: Side, totals: tuple[NDArray[np.float64], NDArray[np.float64]], convention: Convention
) -> tuple[tuple[list[int], list[int]] | None, str]:
    """Return the positions of the classes that both average over, in both vocabularies; None if there is nothing to do.

    Where both have the same label maps, classes go together by their place, else by their name.
    """
    names = (a.record.vocabulary.class_names, b.record.vocabulary.class_names)
    measures = [Measure.of(total, convention) for total in totals]
    if len(names[0]) == len(names[1]) and np.array_equal(totals[0][0], totals[1][0]):
        pairs = [(index, index) for index in range(len(names[0]))]
    else:
        pairs = [(names[0].index(name), names[1].index(name)) for name in names[0] if name in names[1]]
    kept = [
        (one, other)
        for one, other in pairs
        if measures[0].iou_classes[one]
        and measures[1].iou_classes[other]
        and measures[0].truth_classes[one] == measures[1].truth_classes[other]
    ]
    sizes = [int(measure.iou_classes.sum()) for measure in measures]
    if sizes[0] == sizes[1] == len(kept):
        return None, "the same in both"
    words = f"{len(kept)} classes are averaged over in both, of {sizes[0]} and {sizes[1]}"
    return ([one for one, _ in kept], [other for _, other in kept]), words
