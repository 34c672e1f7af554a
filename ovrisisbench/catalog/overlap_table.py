"""The table of judgements that class overlap rests on, and what needs no judgement: names that are alike.

A table is one YAML file in ``splits/overlap``, or a user's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, model_validator

from ovrisisbench.catalog.identity import short_id
from ovrisisbench.catalog.vocabularies import Vocabulary, load_vocabulary, vocabulary_names
from ovrisisbench.catalog.yaml_files import CatalogModel, installed_files, load_yaml
from ovrisisbench.errors import CatalogError, did_you_mean

__all__ = [
    "DEFAULT_TABLE",
    "Judgement",
    "Near",
    "OverlapTable",
    "load_overlap_table",
    "name_level",
    "string_level",
]

DEFAULT_TABLE: Final = "ovrisisbench-v1"

_SIBILANTS: Final = ("s", "x", "z", "ch", "sh")


class Near(CatalogModel):
    """A judgement: training classes that stand for a test class without being called so."""

    classes: tuple[str, ...] = Field(min_length=1)
    """Training classes, spelled as in their vocabulary."""
    relation: str = Field(min_length=1)
    """What the test class is to them: ``synonym``, ``narrower``, ``broader``, ``overlapping``."""


class Judgement(CatalogModel):
    """What somebody decided on one training vocabulary and test vocabularies."""

    train: str
    """Name of the training vocabulary."""
    tests: tuple[str, ...] = Field(min_length=1)
    """Names of the test vocabularies for which it holds."""
    near: dict[str, Near] = Field(default_factory=dict)
    same_word: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Test class -> training classes that share a word with it and mean another thing."""


class OverlapTable(CatalogModel):
    """Everything about class overlap that cannot be computed from the names."""

    format: Literal[1]
    name: str
    title: str
    no_concept: tuple[str, ...] = ()
    """Class names such as ``Other`` that no training class can stand for."""
    judgements: tuple[Judgement, ...]

    @model_validator(mode="after")
    def _once(self) -> OverlapTable:
        seen = set()
        for number, judgement in enumerate(self.judgements):
            for test in judgement.tests:
                if (judgement.train, test) in seen:
                    raise ValueError(f"judgements.{number}.tests: '{judgement.train}' and '{test}' are judged twice")
                seen.add((judgement.train, test))
        return self

    @property
    def id(self) -> str:
        """Eight hex digits of all judgements; equal judgements have equal ids."""
        return short_id(self.model_dump(mode="json", include={"no_concept", "judgements"}))

    def judgement(self, train: str, test: str) -> Judgement | None:
        """Return what was decided on a pair of vocabularies, None if nobody has judged it."""
        found = (judged for judged in self.judgements if judged.train == train and test in judged.tests)
        return next(found, None)


def load_overlap_table(name: str = DEFAULT_TABLE) -> OverlapTable:
    """Read an installed table by name, or any by the path of its YAML file.

    Args:
        name: such as ``ovrisisbench-v1``, or a path that ends in ``.yaml`` or ``.yml``.

    Raises:
        CatalogError: no such table, a wrong field, a vocabulary or class that
            does not exist, or a judgement on a class whose name decides already.
    """
    if name.endswith((".yaml", ".yml")):
        return _checked(load_yaml(Path(name), OverlapTable), name)
    return _installed(name)


@cache
def _installed(name: str) -> OverlapTable:
    installed = installed_files("overlap")
    if name not in installed:
        hint = did_you_mean(name, installed)
        raise CatalogError(
            f"There is no overlap table '{name}'; known are {', '.join(installed)}, or give the path of a .yaml "
            f"file.{hint}"
        )
    return _checked(load_yaml(installed[name], OverlapTable), str(installed[name]))


def string_level(first: str, second: str) -> Literal["exact", "variant"] | None:
    """Compare two class names as strings, ignoring case.

    Returns:
        ``exact`` for the same string, ``variant`` for the regular singular
        and plural of one another, None otherwise.

    Example:
        >>> string_level("Water", "water"), string_level("Building", "buildings"), string_level("Car", "Moving car")
        ('exact', 'variant', None)
    """
    first, second = first.strip().casefold(), second.strip().casefold()
    if first == second:
        return "exact"
    return "variant" if first in _plurals(second) or second in _plurals(first) else None


def name_level(name: str, known: Iterable[str]) -> tuple[Literal["exact", "variant"] | None, tuple[str, ...]]:
    """Find the names that are the same as ``name``, or failing that its singular or plural.

    Returns:
        The level, None if there is no such name, and the names of that level in the order of ``known``.
    """
    levels = {other: string_level(name, other) for other in known}
    level: Literal["exact", "variant"]
    for level in ("exact", "variant"):
        like = tuple(other for other, found in levels.items() if found == level)
        if like:
            return level, like
    return None, ()


def _plurals(word: str) -> set[str]:
    # Regular English plurals of the last word, which is the noun of a compound.
    if word.endswith(_SIBILANTS):
        return {f"{word}es"}
    if word.endswith("y") and not word.endswith(("ay", "ey", "oy", "uy")):
        return {f"{word[:-1]}ies"}
    return {f"{word}s"}


def _checked(table: OverlapTable, where: str) -> OverlapTable:
    judgements = []
    for number, judgement in enumerate(table.judgements):
        field = f"{where}: field 'judgements.{number}"
        train = _vocabulary(judgement.train, f"{field}.train'")
        tests = [_vocabulary(name, f"{field}.tests'") for name in judgement.tests]
        for test in tests:
            for name, near in judgement.near.items():
                _check_class(f"{field}.near.{name}'", name, near.classes, train, test)
            for name, like in judgement.same_word.items():
                _check_class(f"{field}.same_word.{name}'", name, like, train, test)
        twice = sorted(set(judgement.near) & set(judgement.same_word))
        if twice:
            raise CatalogError(f"{field}.same_word.{twice[0]}': is judged to be near as well; keep one of the two.")
        # A vocabulary may be given by its path; pairs are found by the name that stands in it.
        names = {"train": train.name, "tests": tuple(test.name for test in tests)}
        judgements.append(judgement.model_copy(update=names))
    _check_no_concept(table, where)
    return table.model_copy(update={"judgements": tuple(judgements)})


def _check_no_concept(table: OverlapTable, where: str) -> None:
    mentioned = {name for judgement in table.judgements for name in (judgement.train, *judgement.tests)}
    vocabularies = map(load_vocabulary, sorted(mentioned | set(vocabulary_names())))
    known = {name for vocabulary in vocabularies for name in vocabulary.class_names}
    near = {name: number for number, judgement in enumerate(table.judgements) for name in judgement.near}
    for position, name in enumerate(table.no_concept):
        field = f"{where}: field 'no_concept.{position}'"
        if name not in known:
            raise CatalogError(f"{field}: no vocabulary has a class '{name}'.{did_you_mean(name, known)}")
        if name in near:
            raise CatalogError(f"{field}: '{name}' cannot be near a training class as well (judgements.{near[name]}).")


def _check_class(field: str, name: str, like: Iterable[str], train: Vocabulary, test: Vocabulary) -> None:
    for wanted, vocabulary in ((name, test), *((other, train) for other in like)):
        if wanted not in vocabulary.class_names:
            hint = did_you_mean(wanted, vocabulary.class_names)
            raise CatalogError(f"{field}: vocabulary '{vocabulary.name}' has no class '{wanted}'.{hint}")
    level, same = name_level(name, train.class_names)
    if level is not None:
        raise CatalogError(
            f"{field}: '{name}' is {level} by its name ('{same[0]}' in '{train.name}'), so there is nothing to judge; "
            "remove it."
        )


def _vocabulary(name: str, field: str) -> Vocabulary:
    try:
        return load_vocabulary(name)
    except CatalogError as error:
        raise CatalogError(f"{field}: {error}") from error
