"""From the bytes of a result file to a checked object, whatever its age."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from ovrisisbench.catalog.yaml_files import validation_sentence
from ovrisisbench.errors import RecordError
from ovrisisbench.records.formats import upgraded

__all__ = ["parsed", "published_tables"]

Kind = TypeVar("Kind", bound=BaseModel)


def parsed(content: bytes, kind: type[Kind], *, where: str) -> Kind:
    """Turn the bytes of a record file into a checked object.

    Args:
        content: the file.
        kind: what it must be.
        where: the file, as the user knows it.

    Raises:
        RecordError: one sentence that names the file and the field.
    """
    try:
        raw = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where} is not valid JSON ({error}); restore the file, or evaluate again.") from error
    newest = upgraded(raw, where=where)
    expected = kind.model_fields["kind"].default
    if newest["kind"] != expected:
        raise RecordError(f"{where} is a record of kind {newest['kind']!r}, but one of kind '{expected}' belongs here.")
    try:
        return kind.model_validate(newest)
    except ValidationError as error:
        raise RecordError(validation_sentence(where, error)) from error


def published_tables(kind: type[Kind], *folder: str) -> tuple[Kind, ...]:
    """Read the published tables of one kind that are installed with the package, by file name.

    Args:
        kind: what each file must be.
        *folder: below ``results/published``.

    Raises:
        RecordError: a file of them is wrong.
    """
    below = ("published", *folder)
    entries = files("ovrisisbench.results").joinpath(*below).iterdir()
    found = sorted((entry for entry in entries if entry.name.endswith(".json")), key=lambda entry: entry.name)
    return tuple(parsed(entry.read_bytes(), kind, where="/".join((*below, entry.name))) for entry in found)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
