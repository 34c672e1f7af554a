"""Records -> competitors: which records belong to one model, and which may be compared at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.errors import RecordError
from ovrisisbench.records import RECORD_SUFFIX, read_record, read_record_counts
from ovrisisbench.statistics.comparison import Contest, Settings, compare_models, mean_contest

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.records import CountsTable, Record

__all__ = ["Competitor", "RecordComparison", "common_convention", "compare_records", "model_words", "read_with_counts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Competitor:
    """One model in one configuration, with its records by data set."""

    letter: str
    """How tables call it."""
    words: str
    records: dict[str, tuple[Record, CountsTable]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordComparison:
    """Competitors on every data set that all of them have, and on average."""

    competitors: tuple[Competitor, ...]
    settings: Settings
    contests: Mapping[str, Contest]
    """By data set, in the order of the protocol."""
    mean: Contest | None
    """Over all of :attr:`contests`; None for a single data set."""
    class_names: Mapping[str, tuple[str, ...]]
    """By data set."""
    classes: tuple[str, ...] | None
    """Averaged over, None for all."""
    protocol: str
    """Name and id."""
    left_out: tuple[str, ...]
    """Data sets that not all competitors have."""
    notes: tuple[str, ...]


def read_with_counts(path: Path) -> tuple[Record, CountsTable]:
    """Read a record and the per-image counts beside it.

    Raises:
        RecordError: one of them cannot be used.
    """
    if not path.name.endswith(RECORD_SUFFIX):
        raise RecordError(f"{path} is not a record: give files that end in {RECORD_SUFFIX}.")
    record = read_record(path)
    return record, read_record_counts(record, path.parent)


def compare_records(
    entries: Sequence[tuple[Record, CountsTable]],
    settings: Settings | None = None,
    *,
    classes: Sequence[str] | None = None,
) -> RecordComparison:
    """Compare the models behind records, each with each.

    Records of one model on several data sets are one competitor; the first one's model is A.

    Args:
        entries: records with their counts, of at least two competitors.
        settings: how; the defaults and the convention of the records if None.
        classes: names of the classes to average over; all if None.

    Raises:
        RecordError: fewer than two competitors, no common data set, an unknown class, or records of
            different pixels, labels, vocabulary or protocol.
        EvaluationError: a setting that cannot be.
    """
    competitors = _competitors(entries)
    if len(competitors) < 2:
        raise RecordError(
            f"The {len(entries)} records are of one model, {competitors[0].words}: give records of at least two."
            if competitors
            else "There are no records to compare: give at least two."
        )
    first, *others = competitors
    common = [key for key in first.records if all(key in other.records for other in others)]
    if not common:
        raise RecordError(
            "The models have no data set in common: "
            + "; ".join(f"{one.letter} has {', '.join(sorted(one.records))}" for one in competitors)
            + "."
        )
    order = first.records[common[0]][0].protocol.datasets
    common.sort(key=order.index)
    for key in common:
        for other in others:
            _check_comparable(first, other, key)
    settings = settings or Settings(convention=common_convention([record for record, _ in entries]))
    names = {key: first.records[key][0].vocabulary.class_names for key in common}
    contests = {
        key: compare_models(
            [one.records[key][1] for one in competitors],
            settings,
            classes=None if classes is None else class_indices(names[key], classes, where=key),
            stream=stream,
        )
        for stream, key in enumerate(common)
    }
    return RecordComparison(
        competitors=tuple(competitors),
        settings=settings,
        contests=contests,
        mean=mean_contest(list(contests.values()), settings) if len(contests) > 1 else None,
        class_names=names,
        classes=None if classes is None else tuple(classes),
        protocol=f"{first.records[common[0]][0].protocol.name} (id {first.records[common[0]][0].protocol.id})",
        left_out=tuple(sorted({key for one in competitors for key in one.records} - set(common))),
        notes=tuple(_notes(competitors, common, order)),
    )


def common_convention(records: Sequence[Record]) -> Convention:
    """Return the metric convention of records.

    Raises:
        RecordError: they have different ones.
    """
    found: list[Convention] = sorted({record.metrics.convention for record in records})
    if len(found) > 1:
        raise RecordError(
            f"The records were measured under different metric conventions ({' and '.join(found)}): "
            "say with --convention which one to compute all of them under."
        )
    return found[0]


def class_indices(names: Sequence[str], wanted: Sequence[str], *, where: str) -> list[int]:
    """Return where the wanted classes stand in a vocabulary.

    Raises:
        RecordError: one of them is not in it.
    """
    missing = [name for name in wanted if name not in names]
    if missing:
        raise RecordError(f"{where} has no class '{missing[0]}'; it has {', '.join(names)}.")
    return [names.index(name) for name in wanted]


def model_words(record: Record) -> str:
    """Return what a model is, in one line."""
    model = record.model
    trained = f"trained on {model.train_set}" if model.train_set else "without a training set"
    words = [model.title, model.backbone, "untrained weights" if model.weights == "untrained" else trained]
    if model.checkpoint is not None:
        words.append(f"{model.checkpoint.file} {model.checkpoint.sha256[:8]}")
    if model.precision != "float32":
        words.append(model.precision)
    return ", ".join(words)


def _competitors(entries: Sequence[tuple[Record, CountsTable]]) -> list[Competitor]:
    found: list[tuple[object, Competitor]] = []
    for record, counts in entries:
        identity, key = record.model.identity(), record.dataset.key
        own = next((one for known, one in found if known == identity and key not in one.records), None)
        if own is None:
            own = Competitor(letter=_letter(len(found)), words=_told_apart(record, [one for _, one in found]))
            found.append((identity, own))
        own.records[key] = (record, counts)
    return [one for _, one in found]


def _letter(position: int) -> str:
    return chr(ord("A") + position) if position < 26 else f"M{position + 1}"


def _told_apart(record: Record, others: Sequence[Competitor]) -> str:
    """Add the settings that differ from those of a competitor of the same words."""
    words = model_words(record)
    for other in others:
        known = next(iter(other.records.values()))[0]
        if model_words(known) == words:
            before = known.model.settings
            changed = [f"{name}={value}" for name, value in record.model.settings.items() if before.get(name) != value]
            return f"{words}, {', '.join(changed)}" if changed else words
    return words


def _check_comparable(a: Competitor, b: Competitor, key: str) -> None:
    (one, _), (other, _) = a.records[key], b.records[key]
    fields = {
        "protocol.id": (one.protocol.id, other.protocol.id),
        "dataset.variant": (one.dataset.variant, other.dataset.variant),
        "dataset.digest": (one.dataset.digest[:12], other.dataset.digest[:12]),
        "vocabulary.digest": (one.vocabulary.digest[:12], other.vocabulary.digest[:12]),
        "dataset.images": (one.dataset.images, other.dataset.images),
        "images left out": (one.dataset.left_out, other.dataset.left_out),
    }
    differing = [f"{name} ({first} and {second})" for name, (first, second) in fields.items() if first != second]
    if differing:
        raise RecordError(
            f"{a.letter} ({a.words}) and {b.letter} ({b.words}) were not measured on the same on {key}: they differ in "
            f"{', '.join(differing)}; 'ovrisis-bench explain' says what that makes."
        )


def _notes(competitors: Sequence[Competitor], common: Sequence[str], order: Sequence[str]) -> list[str]:
    notes = []
    incomplete = [key for key in common if not competitors[0].records[key][0].is_complete]
    if incomplete:
        notes.append(f"Measured on a part of the images, or on prepared data that lack files: {', '.join(incomplete)}.")
    if 1 < len(common) < len(order):
        notes.append(f"The mean is over {len(common)} of the {len(order)} data sets of the protocol.")
    return notes
