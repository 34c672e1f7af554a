"""Which fields of two records differ: those that make a number another one, and those that should not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ovrisisbench.records import Record

__all__ = ["FieldDifference", "differing_fields"]

_MISSING = "not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One field that says different things in two records."""

    part: str
    """What it belongs to: model, checkpoint, protocol, data, vocabulary, images, convention, names, environment."""
    field: str
    """Where it stands in the record."""
    a: str
    b: str
    changes_a_number: bool
    """True for what is part of a record's identity. The rest may move a figure by rounding at most."""


def differing_fields(a: Record, b: Record) -> tuple[FieldDifference, ...]:
    """Return what differs, that which changes a number first. Dates and times are passed over.

    Args:
        a: a record.
        b: another.
    """
    mine, other = dict(_fields(a)), dict(_fields(b))
    found = []
    for key in dict.fromkeys((*mine, *other)):
        if mine.get(key) != other.get(key):
            changes, part, field = key
            one, two = (_words(values.get(key, _MISSING)) for values in (mine, other))
            found.append(FieldDifference(part=part, field=field, a=one, b=two, changes_a_number=changes))
    return tuple(sorted(found, key=lambda difference: not difference.changes_a_number))


_Key = tuple[bool, str, str]


def _fields(record: Record) -> Iterator[tuple[_Key, Any]]:
    model, dataset = record.model, record.dataset
    for name in ("name", "adapter", "kind", "backbone", "train_set", "weights", "seed", "precision"):
        yield (True, "model", f"model.{name}"), getattr(model, name)
    for name, value in model.settings.items():
        yield (True, "model", f"model.settings.{name}"), value
    files = ({"checkpoint": model.checkpoint} if model.checkpoint else {}) | {
        f"beside.{name}": used for name, used in model.beside.items()
    }
    for name, used in files.items():
        yield (True, "checkpoint", f"model.{name}.sha256"), used.sha256
        yield (False, "names", f"model.{name}.file"), used.file
    yield (True, "protocol", "protocol.id"), record.protocol.id
    yield (True, "protocol", "protocol.datasets"), record.protocol.datasets
    for name in ("key", "variant", "digest", "partial"):
        yield (True, "data", f"dataset.{name}"), getattr(dataset, name)
    yield (True, "vocabulary", "vocabulary.class_names"), record.vocabulary.class_names
    for name in ("images", "images_total", "left_out"):
        yield (True, "images", f"dataset.{name}"), getattr(dataset, name)
    yield (True, "convention", "metrics.convention"), record.metrics.convention
    yield (False, "names", "model.title"), model.title
    yield (False, "names", "protocol.name"), record.protocol.name
    yield from _environment(record)


def _environment(record: Record) -> Iterator[tuple[_Key, Any]]:
    run = record.run
    for name in ("device", "processes", "batch_size", "python", "platform"):
        yield (False, "environment", f"run.{name}"), getattr(run, name)
    for name, version in run.packages.items():
        yield (False, "environment", f"run.packages.{name}"), version
    if run.parameters is not None:
        yield (False, "environment", "run.parameters.total"), run.parameters.total


def _words(value: Any) -> str:  # noqa: ANN401 - whatever a record holds
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={entry}" for key, entry in value.items())
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and all(letter in "0123456789abcdef" for letter in text) else text
