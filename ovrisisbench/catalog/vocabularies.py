"""Vocabularies: the ordered class names a model is prompted with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import field_validator

from ovrisisbench.catalog.evidence import Evidence
from ovrisisbench.catalog.yaml_files import CatalogModel, installed_files, load_yaml
from ovrisisbench.errors import CatalogError, did_you_mean

__all__ = ["MAX_CLASSES", "Vocabulary", "checked_class_names", "load_vocabulary", "vocabulary_names"]

MAX_CLASSES = 255
"""Label maps are uint8 and 255 is the ignored value, so indices run from 0 to 254."""


class Vocabulary(CatalogModel):
    """The class names of one test set, in label order: index = value in the label map."""

    name: str
    """File stem, such as ``isaid-v1``."""
    dataset: str
    """Key of the data-set card it was made for."""
    source: str
    """Where the exact strings and their order come from."""
    evidence: Evidence
    class_names: tuple[str, ...]

    @field_validator("class_names")
    @classmethod
    def _usable(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        problem = _problem(names)
        if problem:
            raise ValueError(problem)
        return names


def checked_class_names(names: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Return ``names`` as a tuple if they can serve as a vocabulary.

    Args:
        names: class names in label order.
        where: the list's origin, for the error text.

    Raises:
        CatalogError: empty, blank, repeated (ignoring case and outer white space), or more than 255.

    Example:
        >>> checked_class_names(["road", "water"], where="mine.txt")
        ('road', 'water')
    """
    problem = _problem(tuple(names))
    if problem:
        raise CatalogError(f"{where}: {problem}.")
    return tuple(names)


def vocabulary_names() -> list[str]:
    """Return the names of all installed vocabularies, sorted."""
    return list(installed_files("vocabularies"))


@cache
def load_vocabulary(name: str) -> Vocabulary:
    """Read an installed vocabulary by name, or any by the path of its YAML file.

    Args:
        name: such as ``isaid-v1``, or a path that ends in ``.yaml``.

    Raises:
        CatalogError: no such vocabulary, or a wrong field in it.
    """
    if name.endswith(".yaml"):
        return load_yaml(Path(name), Vocabulary)
    installed = installed_files("vocabularies")
    if name not in installed:
        hint = did_you_mean(name, installed)
        raise CatalogError(f"There is no vocabulary '{name}'; known are {', '.join(installed)}.{hint}")
    return load_yaml(installed[name], Vocabulary)


def _problem(names: tuple[str, ...]) -> str:
    if not names:
        return "the class list is empty; give at least one class name"
    if len(names) > MAX_CLASSES:
        return f"the class list has {len(names)} names, but label maps hold at most {MAX_CLASSES} classes"
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        key = name.strip().lower()
        if not key:
            return f"class {position} of the class list is blank; give it a name or remove the line"
        if key in seen:
            return f"'{name}' stands in the class list twice, as classes {seen[key]} and {position}; remove one"
        seen[key] = position
    return ""
