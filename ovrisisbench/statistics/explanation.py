"""Why two figures differ: which fields of their records do, and what part of the gap is only the counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.metrics import CONVENTIONS, compute_metrics
from ovrisisbench.statistics.comparison import Settings, compare_models
from ovrisisbench.statistics.competitors import model_words
from ovrisisbench.statistics.figures import FIGURES
from ovrisisbench.statistics.gap import GapStep, Side, gap_steps
from ovrisisbench.statistics.identities import FieldDifference, differing_fields

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records import CountsTable, Record
    from ovrisisbench.statistics.differences import Difference
    from ovrisisbench.statistics.figures import Figure

__all__ = ["Explanation", "explain_records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What two records have apart."""

    a: str
    """Model and data set of A, in words."""
    b: str
    convention: Convention
    """That both were computed under."""
    fields: tuple[FieldDifference, ...]
    steps: tuple[GapStep, ...]
    by_convention: Mapping[Convention, tuple[float | None, float | None]]
    """mIoU of A and of B under each convention, all else as recorded."""
    rest: Mapping[Figure, Difference | None]
    """The last step as a paired comparison; empty where the images cannot be paired."""
    rest_problem: str
    """Why not; empty otherwise."""
    same_counts: bool
    """True if both have the same confusion matrix."""

    @property
    def conclusion(self) -> str:
        """One sentence."""
        parts = list(dict.fromkeys(field.part for field in self.fields if field.changes_a_number))
        if self.same_counts:
            return "Both have the same pixel counts" + (
                ": only the convention makes their figures differ." if "convention" in parts else "."
            )
        if not parts:
            return (
                "Nothing differs that should change a number, yet the pixel counts do: look at the packages and the "
                "device, and whether the model draws numbers without a seed."
            )
        own = [part for part in parts if part not in ("convention", "images")]
        return f"What the counting does not explain is due to: {', '.join(own) or 'nothing that is recorded'}."


def explain_records(
    a: tuple[Record, CountsTable | None],
    b: tuple[Record, CountsTable | None],
    settings: Settings | None = None,
) -> Explanation:
    """Explain the gap between two records of one data set.

    Args:
        a: a record with its counts; without them the images cannot be made equal.
        b: another.
        settings: of the paired comparison; its convention is the one that both are computed under. The defaults
            and the convention of A if None.

    Raises:
        RecordError: the records are of different data sets.
        EvaluationError: a setting that cannot be.
    """
    (one, counts), (other, other_counts) = a, b
    if one.dataset.key != other.dataset.key:
        raise RecordError(
            f"The records are of {one.dataset.key} and {other.dataset.key}: a gap between data sets is not one between "
            "measurements; give two records of one data set."
        )
    settings = settings or Settings(convention=one.metrics.convention)
    steps = gap_steps(Side(one, counts), Side(other, other_counts), settings.convention)
    rest, problem = _rest(counts, other_counts, settings, steps[-1])
    return Explanation(
        a=f"{model_words(one)}, on {one.dataset.key}",
        b=f"{model_words(other)}, on {other.dataset.key}",
        convention=settings.convention,
        fields=differing_fields(one, other),
        steps=steps,
        by_convention={
            convention: (
                compute_metrics(one.confusion_array, convention).miou,
                compute_metrics(other.confusion_array, convention).miou,
            )
            for convention in CONVENTIONS
        },
        rest=rest,
        rest_problem=problem,
        same_counts=one.confusion == other.confusion,
    )


def _rest(
    a: CountsTable | None, b: CountsTable | None, settings: Settings, last: GapStep
) -> tuple[dict[Figure, Difference | None], str]:
    """Compare on common images; the figures must be those of the last step."""
    if a is None or b is None:
        return {}, "the per-image counts are missing"
    common = set(a.ids) & set(b.ids)
    classes, others = last.classes or (None, None)
    if classes != others or classes == []:
        return {}, "the classes stand in different places of the two vocabularies"
    try:
        pair = compare_models([a.of_images(common), b.of_images(common)], settings, classes=classes).pairs[0]
    except RecordError as error:
        return {}, str(error)
    figures = dict(pair.figures)
    if any(not _same(figures[figure], last, figure) for figure in FIGURES):
        return {}, "the means run over different classes in each"
    return figures, ""


def _same(difference: Difference | None, last: GapStep, figure: Figure) -> bool:
    gap = last.gap(figure)
    if difference is None or gap is None:
        return difference is None and gap is None
    return abs(difference.difference - gap) < 1e-12
