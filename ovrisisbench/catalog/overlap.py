"""Class overlap: which classes of a test set a model has met in training, by name.

Levels ``exact`` and ``variant`` follow from the strings. Level ``near`` is
judgement and stands in a table, ``splits/overlap``, that users can replace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from ovrisisbench.catalog.overlap_table import Judgement, OverlapTable, load_overlap_table, name_level
from ovrisisbench.catalog.vocabularies import Vocabulary

__all__ = ["LEVELS", "ClassMatch", "ClassOverlap", "Level", "OverlapTable", "class_overlap", "load_overlap_table"]

Level = Literal["exact", "variant", "near", "unseen"]
"""The same string; its singular or plural; another name for it or part of it; nothing like it."""

LEVELS: Final[tuple[Level, ...]] = ("exact", "variant", "near", "unseen")
"""From most to least alike."""

_VARIANT: Final = "singular or plural"
_SAME_WORD: Final = "same word, another thing"


@dataclass(frozen=True, slots=True)
class ClassMatch:
    """One class of a test vocabulary beside a training vocabulary."""

    name: str
    level: Level
    classes: tuple[str, ...]
    """Training classes that it is like; for ``unseen`` those that share a word and mean another thing."""
    relation: str
    """Empty for ``exact`` and for most that are ``unseen``."""
    is_concept: bool
    """False for names such as ``Other``, which no training class can stand for."""


@dataclass(frozen=True, slots=True)
class ClassOverlap:
    """All classes of a test vocabulary beside a training vocabulary."""

    train: str
    """Name of the training vocabulary."""
    test: str
    """Name of the test vocabulary."""
    table: str
    """Name of the table of judgements."""
    table_id: str
    is_judged: bool
    """False where the table does not list the pair; the computed levels are then all there is."""
    classes: tuple[ClassMatch, ...]
    """In label order."""

    def counts(self, *, concepts_only: bool = False) -> dict[Level, int]:
        """Return the number of classes at each level.

        Args:
            concepts_only: leave out names such as ``Other``.
        """
        levels = [match.level for match in self.classes if match.is_concept or not concepts_only]
        return {level: levels.count(level) for level in LEVELS}

    def seen(self, *, strict: bool = False) -> tuple[bool, ...]:
        """Return for each class, in label order, whether it counts as seen in training.

        Args:
            strict: only the same string counts; otherwise also its singular or plural.
        """
        return tuple(match.level == "exact" or (match.level == "variant" and not strict) for match in self.classes)

    def seen_count(self, *, strict: bool = False, concepts_only: bool = False) -> int:
        """Return how many classes count as seen; the arguments are those of :meth:`seen` and :meth:`counts`."""
        counts = self.counts(concepts_only=concepts_only)
        return counts["exact"] + (0 if strict else counts["variant"])

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON-like content, with all counts."""
        summary = {
            "classes": len(self.classes),
            "concepts": sum(match.is_concept for match in self.classes),
            "levels": dict(self.counts()),
            "levels_of_concepts": dict(self.counts(concepts_only=True)),
            "seen_strict": self.seen_count(strict=True),
            "seen_usual": self.seen_count(),
            "seen_concepts_strict": self.seen_count(strict=True, concepts_only=True),
            "seen_concepts_usual": self.seen_count(concepts_only=True),
        }
        return {
            "train": self.train,
            "test": self.test,
            "table": {"name": self.table, "id": self.table_id, "judged": self.is_judged},
            "summary": summary,
            "classes": [
                {
                    "index": index,
                    "name": match.name,
                    "level": match.level,
                    "training_classes": list(match.classes),
                    "relation": match.relation,
                    "is_concept": match.is_concept,
                }
                for index, match in enumerate(self.classes)
            ],
        }


def class_overlap(train: Vocabulary, test: Vocabulary, table: OverlapTable | None = None) -> ClassOverlap:
    """Compare the classes of a test set with those a model was trained on.

    Args:
        train: vocabulary of the training set.
        test: vocabulary of the test set.
        table: judgements on classes whose names differ; None for the installed table.

    Example:
        >>> from ovrisisbench.catalog import load_vocabulary
        >>> compared = class_overlap(load_vocabulary("dlrsd-v1"), load_vocabulary("vdd-v1"))
        >>> compared.counts()
        {'exact': 1, 'variant': 0, 'near': 4, 'unseen': 2}
    """
    table = load_overlap_table() if table is None else table
    judgement = table.judgement(train.name, test.name)
    matches = tuple(_match(name, train, table, judgement) for name in test.class_names)
    # Where names alone decide every class there is nothing left to judge.
    is_judged = judgement is not None or all(match.level in ("exact", "variant") for match in matches)
    return ClassOverlap(train.name, test.name, table.name, table.id, is_judged, matches)


def _match(name: str, train: Vocabulary, table: OverlapTable, judgement: Judgement | None) -> ClassMatch:
    is_concept = name.casefold() not in map(str.casefold, table.no_concept)
    level, like = name_level(name, train.class_names)
    if level is not None:
        return ClassMatch(name, level, like, _VARIANT if level == "variant" else "", is_concept)
    if judgement is not None and name in judgement.near:
        near = judgement.near[name]
        return ClassMatch(name, "near", near.classes, near.relation, is_concept)
    if judgement is not None and name in judgement.same_word:
        return ClassMatch(name, "unseen", judgement.same_word[name], _SAME_WORD, is_concept)
    return ClassMatch(name, "unseen", (), "", is_concept)
