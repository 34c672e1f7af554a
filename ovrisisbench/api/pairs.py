"""Records against each other: who is better, and why figures differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records import CountsTable, Record
    from ovrisisbench.statistics import RecordComparison
    from ovrisisbench.statistics.explanation import Explanation
    from ovrisisbench.statistics.published_gap import PublishedExplanation

__all__ = ["compare", "explain"]


def compare(
    *records: Record | Path | str,
    results: Path | str = "results",
    convention: Convention | None = None,
    classes: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    power: float = 0.8,
) -> RecordComparison:
    """Compare models on the same images by a paired bootstrap over scenes.

    Records of one model on several data sets count as one model, and then the means over the data sets that all
    models have are compared as well. Of more than two models all pairs are compared, with Holm's correction.

    Args:
        *records: records, or their files; per-image counts must lie beside them.
        results: where records that are given as objects were read from.
        convention: to compute all under; None for that of the records.
        classes: names of the classes to average over; None for all.
        resamples: of the scenes.
        seed: of the draws.
        level: of the intervals.
        power: of the least detectable differences.

    Raises:
        RecordError: fewer than two models, counts that are not there, or records that cannot be compared.
        EvaluationError: a setting that cannot be.
    """
    from ovrisisbench.records import Record, read_record_counts, record_path
    from ovrisisbench.statistics.comparison import Settings
    from ovrisisbench.statistics.competitors import common_convention, compare_records, read_with_counts

    entries = [
        (one, read_record_counts(one, record_path(one, Path(results)).parent))
        if isinstance(one, Record)
        else read_with_counts(Path(one))
        for one in records
    ]
    if not entries:
        raise RecordError("There are no records to compare: give at least two.")
    settings = Settings(
        convention=convention or common_convention([record for record, _ in entries]),
        resamples=resamples,
        seed=seed,
        level=level,
        power=power,
    )
    return compare_records(entries, settings, classes=classes)


def explain(
    record_a: Record | Path | str,
    record_b: Record | Path | str,
    *,
    results: Path | str = "results",
    convention: Convention | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    note: Callable[[str], None] | None = None,
) -> Explanation | PublishedExplanation:
    """Explain why the figures of two records of one data set differ.

    Says which fields of the records differ, and how much of the gap is left when both are computed under one
    convention, on the images that both have, over the classes that both average over. One of them may be a printed
    row, ``published:TABLE/TITLE`` or ``published:TABLE/TITLE/BACKBONE/TRAIN_SET``; then figures and claims are
    compared.

    Args:
        record_a: a record, its file, or a printed row.
        record_b: another.
        results: where records that are given as objects were read from.
        convention: to compute both under; None for that of the first measured one.
        resamples: of the scenes.
        seed: of the draws.
        level: of the intervals.
        note: told of a record whose per-image counts are missing, so that images cannot be made equal.

    Raises:
        RecordError: a file that cannot be used, records of different data sets, or two printed rows.
        EvaluationError: a setting that cannot be.
    """
    from ovrisisbench.statistics.comparison import Settings
    from ovrisisbench.statistics.explanation import explain_records
    from ovrisisbench.statistics.published_gap import PREFIX, explain_published, find_published

    given = (record_a, record_b)
    printed = [name for name in given if isinstance(name, str) and name.startswith(PREFIX)]
    measured = [_with_counts(one, Path(results), note) for one in given if one not in printed]
    if not measured:
        raise RecordError("Both are printed rows: give at least one measured record.")
    chosen = convention or measured[0][0].metrics.convention
    settings = Settings(convention=chosen, resamples=resamples, seed=seed, level=level)
    settings.check()
    if printed:
        return explain_published(*measured[0], *find_published(printed[0]), settings)
    return explain_records(measured[0], measured[1], settings)


def _with_counts(
    given: Record | Path | str, results: Path, note: Callable[[str], None] | None
) -> tuple[Record, CountsTable | None]:
    from ovrisisbench.records import Record, read_record, read_record_counts, record_path

    path = record_path(given, results) if isinstance(given, Record) else Path(given)
    record = given if isinstance(given, Record) else read_record(path)
    named = None if record.counts is None else path.parent / record.counts.file
    if named is None or not named.is_file():
        if note is not None:
            note(f"{path.name} has no per-image counts beside it, so images cannot be made equal.")
        return record, None
    return record, read_record_counts(record, path.parent)
