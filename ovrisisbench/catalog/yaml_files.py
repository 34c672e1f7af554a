"""YAML files as validated objects, with errors that name the file and the field."""

from __future__ import annotations

from collections.abc import Hashable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ovrisisbench.errors import CatalogError

__all__ = [
    "CatalogModel",
    "checked",
    "installed_files",
    "load_content",
    "load_referenced",
    "load_yaml",
    "validation_sentence",
]

Model = TypeVar("Model", bound=BaseModel)


class CatalogModel(BaseModel):
    """Base of everything read from ``splits/``: unknown fields are errors, objects are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def installed_files(folder: str) -> dict[str, Traversable]:
    """Return the YAML files of one folder of the installed ``splits``, by stem, sorted."""
    root = files("ovrisisbench.splits").joinpath(folder)
    found = {Path(entry.name).stem: entry for entry in root.iterdir() if entry.name.endswith(".yaml")}
    return dict(sorted(found.items()))


def load_yaml(source: Traversable | Path, kind: type[Model]) -> Model:
    """Read one YAML file into a validated object.

    Args:
        source: the file.
        kind: the pydantic model it must satisfy.

    Raises:
        CatalogError: unreadable, not YAML, a key given twice, or a field that is wrong; the
            sentence names the file and the field.
    """
    return checked(load_content(source), kind, str(source))


def load_referenced(reference: str, kind: type[Model]) -> Model:
    """Read a YAML file that comes with a package, such as the recipe of a model.

    Args:
        reference: ``"package:file.yaml"``.
        kind: the pydantic model it must satisfy.

    Raises:
        CatalogError: as :func:`load_yaml`.
    """
    package, _, name = reference.partition(":")
    return load_yaml(files(package).joinpath(name), kind)


def load_content(source: Traversable | Path) -> object:
    """Read one YAML file as plain data.

    Raises:
        CatalogError: unreadable, not YAML, or a key given twice.
    """
    try:
        return yaml.load(source.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"{source} cannot be read ({error}).") from error
    except yaml.YAMLError as error:
        raise CatalogError(f"{source} is not valid YAML: {' '.join(str(error).split())}.") from error


def checked(content: object, kind: type[Model], where: str) -> Model:
    """Turn plain data into a validated object.

    Args:
        content: what a YAML file holds.
        kind: the pydantic model it must satisfy.
        where: the file, for the error text.

    Raises:
        CatalogError: a field is wrong; the sentence names the file and the field.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise CatalogError(validation_sentence(where, error)) from error


def validation_sentence(where: str, error: ValidationError) -> str:
    """Say in one sentence which field of ``where`` is wrong, and how many others are.

    Args:
        where: the file, as the user knows it.
        error: what pydantic found.
    """
    problems = error.errors(include_url=False)
    first = problems[0]
    path = ".".join(str(part) for part in first["loc"])
    more = f" ({len(problems) - 1} more field(s) are wrong too)" if len(problems) > 1 else ""
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    field = f"field '{path}': " if path else ""
    return f"{where}: {field}{message}{more}."


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, which YAML would silently overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice", node.value[position][0].start_mark
                )
        return super().construct_mapping(node, deep=deep)
