"""Measured records -> rows: which records make one row, and what tells rows apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ovrisisbench.catalog.identity import content_digest, short_id
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.model import METRICS, Cell, CellKey, Row
from ovrisisbench.records import ModelUsed, Record

__all__ = ["MeasuredRow", "data_key", "measured_rows"]


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """A row together with the records it shows."""

    row: Row
    model: ModelUsed
    records: Mapping[str, Record]
    """By data set."""


@dataclass(frozen=True, slots=True)
class _Picked:
    model: ModelUsed
    records: Mapping[str, Record]
    slot: int
    """0 for a model's newest records, 1 for those of another prepared data set, and so on."""


def measured_rows(records: Iterable[Record], view: ClassView) -> tuple[list[MeasuredRow], int]:
    """Put records of one protocol id into rows, one for each model in one configuration.

    A complete record goes before one on fewer images. Two complete records of one model and data set,
    from different prepared data, make two rows.

    Args:
        records: of one protocol id.
        view: which classes the means run over.

    Returns:
        The rows, in no particular order, and how many incomplete records have given way to better ones.
    """
    by_model: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        by_model[content_digest(record.model.identity())][record.dataset.key].append(record)
    picked: list[_Picked] = []
    left_out = 0
    for by_dataset in by_model.values():
        shown = {key: _shown(candidates) for key, candidates in by_dataset.items()}
        left_out += sum(len(by_dataset[key]) - len(shown[key]) for key in shown)
        for slot in range(max(map(len, shown.values()))):
            chosen = {key: found[slot] for key, found in shown.items() if slot < len(found)}
            picked.append(_Picked(next(iter(chosen.values())).model, chosen, slot))
    rows = [
        MeasuredRow(_row(one, words, view), one.model, one.records)
        for one, words in zip(picked, _qualifiers(picked), strict=True)
    ]
    return rows, left_out


def data_key(record: Record) -> tuple[str, str, str, str]:
    """Return what must be equal for two figures of one column to compare, beside the protocol id."""
    return (record.dataset.variant, record.dataset.digest, record.vocabulary.digest, record.metrics.convention)


def _shown(candidates: Sequence[Record]) -> list[Record]:
    complete = [record for record in candidates if record.is_complete]
    if complete:
        return sorted(complete, key=lambda record: (record.run.date, record.stem), reverse=True)
    return [max(candidates, key=lambda record: (record.dataset.images, record.run.date, record.stem))]


def _row(picked: _Picked, qualifiers: tuple[str, ...], view: ClassView) -> Row:
    model = picked.model
    cells: dict[CellKey, Cell] = {}
    for key, record in picked.records.items():
        found = view.cells(record.confusion_array, record)
        cells |= {(key, metric): found[metric] for metric in METRICS}
    return Row(
        model=model.name,
        title=model.title,
        qualifiers=qualifiers,
        backbone=model.backbone,
        kind=model.kind,
        ranked=model.kind != "floor" and model.weights != "untrained",
        cells=cells,
    )


def _qualifiers(picked: Sequence[_Picked]) -> list[tuple[str, ...]]:
    """Return for each row what a reader must know, and what tells it from rows of the same name."""
    namesakes: dict[tuple[str, str, str | None], list[int]] = defaultdict(list)
    for index, one in enumerate(picked):
        namesakes[one.model.title, one.model.backbone, one.model.train_set].append(index)
    words: list[tuple[str, ...]] = [()] * len(picked)
    for indices in namesakes.values():
        traits = [_traits(picked[index].model) for index in indices]
        names = sorted({name for trait in traits for name in trait})
        differing = [name for name in names if len({trait[name] for trait in traits if name in trait}) > 1]
        for index, trait in zip(indices, traits, strict=True):
            told = (trait[name] for name in differing if name in trait)
            words[index] = (*_plain_words(picked[index]), *told)
        told_apart = len({words[index] for index in indices}) == len(indices)
        if not told_apart:
            for index in indices:
                words[index] += (f"configuration {short_id(picked[index].model.identity())}",)
    return words


def _plain_words(picked: _Picked) -> tuple[str, ...]:
    words = []
    if picked.model.kind == "predictions":
        words.append("scored predictions")
    if picked.model.weights == "untrained":
        words.append("untrained weights")
    if picked.model.precision != "float32":
        words.append(picked.model.precision)
    if picked.slot:
        what = "other predictions" if picked.model.kind == "predictions" else "other prepared data"
        words.append(what if picked.slot == 1 else f"{what} {picked.slot}")
    return tuple(words)


def _traits(model: ModelUsed) -> dict[str, str]:
    """Return what may tell two models of one title apart, as printed."""
    traits = {f"setting {name}": f"{name}={value}" for name, value in model.settings.items()}
    if model.checkpoint is not None:
        traits["checkpoint"] = f"{model.checkpoint.file} {model.checkpoint.sha256[:8]}"
    if model.seed is not None:
        traits["seed"] = f"seed {model.seed}"
    if model.kind != "predictions":
        traits["adapter"] = f"{model.name} of {model.adapter}"
    return traits
