"""Checking a record that somebody else has made: every figure, every digest, and against the installed cards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovrisisbench.catalog import Protocol, load_protocol
from ovrisisbench.errors import CatalogError, RecordError
from ovrisisbench.records.files import RECORD_SUFFIX, read_record, read_record_counts, record_path
from ovrisisbench.records.privacy import private_fields
from ovrisisbench.records.schema import Record

__all__ = ["CheckedRecord", "Contribution", "check_records"]


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """What was found in one file."""

    path: Path
    record: Record | None
    """None if it could not be read."""
    problems: tuple[str, ...]
    """One sentence for each thing that is wrong."""
    remarks: tuple[str, ...] = ()
    """One sentence for each thing that a reader of the table would miss; nothing is wrong."""
    checked: tuple[str, ...] = ()
    """What was computed again and agrees."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """All records that were looked at."""

    records: tuple[CheckedRecord, ...]
    problems: tuple[str, ...] = ()
    """About several files together."""
    lacks: tuple[str, ...] = field(default=())
    """What is not there: data sets without which a row has no mean."""

    @property
    def is_right(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems and not any(one.problems for one in self.records)


def check_records(paths: Sequence[Path]) -> Contribution:
    """Check records and their counts: files, or folders with all below them.

    Raises:
        RecordError: no such file, or a folder without records.
    """
    found = list(dict.fromkeys(path for given in paths for path in _record_files(given)))
    checked = tuple(_checked(path) for path in found)
    return Contribution(checked, tuple(_contradictions(checked)), tuple(_missing_datasets(checked)))


def _record_files(given: Path) -> list[Path]:
    if given.is_dir():
        found = sorted(given.rglob(f"*{RECORD_SUFFIX}"))
        if not found:
            raise RecordError(f"{given} holds no record: their names end in {RECORD_SUFFIX}.")
        return found
    if not given.is_file():
        raise RecordError(f"There is no file {given}; give a record, or a folder of records.")
    return [given]


def _checked(path: Path) -> CheckedRecord:
    try:
        record = read_record(path)  # recomputes all figures, and compares the digest of the vocabulary
    except RecordError as error:
        return CheckedRecord(path, None, (str(error),))
    problems: list[str] = []
    checked = ["figures from the confusion matrix"]
    _check_counts(record, path, problems, checked)
    _check_rules(record, problems, checked)
    private = private_fields(record.model_dump(mode="json"))
    problems += [f"{entry}; a record is shared, so it holds no path, host or user." for entry in private]
    if not private:
        checked.append("no path, host or user")
    expected = record_path(record, path.parent.parent)
    if path.name != expected.name:
        problems.append(f"It belongs into a file named {expected.name}: what was asked does not fit its name.")
    remarks = list(_remarks(record))
    if path.parent.name != expected.parent.name:
        remarks.append(f"In results folders it lies in {expected.parent.name}.")
    return CheckedRecord(path, record, tuple(problems), tuple(remarks), tuple(checked))


def _check_counts(record: Record, path: Path, problems: list[str], checked: list[str]) -> None:
    if record.counts is None:
        problems.append("It names no file of per-image counts, from which all figures follow; evaluate again.")
        return
    try:
        counts = read_record_counts(record, path.parent)
    except RecordError as error:
        problems.append(str(error))
        return
    checked.append(f"the sum over {len(counts):,} images, and its digest")


def _check_rules(record: Record, problems: list[str], checked: list[str]) -> None:
    try:
        protocol = load_protocol(record.protocol.name)
    except CatalogError as error:
        problems.append(f"Its protocol is not known here: {error}")
        return
    before = len(problems)
    problems += _rule_problems(record, protocol)
    if len(problems) == before:
        checked.append(f"protocol {protocol.name} {protocol.id}, vocabulary and convention against the installed cards")


def _rule_problems(record: Record, protocol: Protocol) -> Iterator[str]:
    if record.protocol.id != protocol.id:
        yield (
            f"protocol.id says {record.protocol.id}, but {protocol.name} has the id {protocol.id} here: the rules are "
            "others; evaluate again with the installed version."
        )
    if record.protocol.datasets != protocol.datasets:
        yield f"protocol.datasets does not list the data sets of {protocol.name}: {', '.join(protocol.datasets)}."
    if record.metrics.convention != protocol.metric_convention:
        yield (
            f"metrics.convention says {record.metrics.convention}, but {protocol.name} has "
            f"{protocol.metric_convention}."
        )
    if record.dataset.key not in protocol.datasets:
        yield f"dataset.key says '{record.dataset.key}', which {protocol.name} does not test."
        return
    variant = protocol.variant(record.dataset.key)
    if record.dataset.variant != variant.name:
        yield f"dataset.variant says '{record.dataset.variant}', but {protocol.name} tests '{variant.name}'."
    names = protocol.vocabulary(record.dataset.key).class_names
    if record.vocabulary.class_names != names:
        yield f"vocabulary.class_names are not those of the card: {', '.join(names)}."
    # Images that training has seen are left out of held-out tests, so only more than there are is wrong.
    if variant.total is not None and record.dataset.images_total > variant.total and not record.dataset.partial:
        yield (
            f"dataset.images_total says {record.dataset.images_total:,}, but the card counts {variant.total:,} images."
        )


def _remarks(record: Record) -> Iterator[str]:
    data, model = record.dataset, record.model
    if data.limited:
        yield f"Only {data.images:,} of {data.images_total:,} images were evaluated, so it is not ranked."
    if data.partial:
        yield f"The data were partial, so it is not ranked: {data.partial_reasons[0].rstrip('.')}."
    if model.weights == "untrained":
        yield "The weights are untrained, so it is not ranked."
    if model.precision != "float32":
        yield f"It was measured in {model.precision}; only float32 compares across machines."
    if model.train_set is not None and data.seen_in_training is None:
        yield "How many test images training has seen is unknown: its data were not prepared beside the test set."
    if record.predictions is not None:
        said = record.predictions.source
        yield "The predictions were made elsewhere" + (f": {said}." if said else ", and --source did not say by what.")
    if model.adapter.endswith(".py") or ".py:" in model.adapter:
        yield f"The adapter is a file ({model.adapter}); say in the contribution where its code is."


def _contradictions(checked: Sequence[CheckedRecord]) -> Iterator[str]:
    first: dict[str, tuple[Path, Record]] = {}
    for one in checked:
        if one.record is None:
            continue
        path, record = first.setdefault(one.record.stem, (one.path, one.record))
        if record.result_digest() != one.record.result_digest():
            yield f"{path} and {one.path} are two results of one run with different figures; take one of them away."


def _missing_datasets(checked: Sequence[CheckedRecord]) -> Iterator[str]:
    """Say for each model which data sets of the protocol have no record, so that its row has no mean."""
    rows: dict[tuple[str, ...], dict[str, Record]] = defaultdict(dict)
    for one in checked:
        if one.record is not None:
            model = one.record.model
            key = (one.record.protocol.id, model.title, model.backbone, model.train_set or "")
            rows[key][one.record.dataset.key] = one.record
    for records in rows.values():
        record = next(iter(records.values()))
        missing = [key for key in record.protocol.datasets if key not in records]
        if missing:
            yield (
                f"{record.model.title} ({record.model.backbone}) has no record of {', '.join(missing)}, so its row has "
                "no mean."
            )
