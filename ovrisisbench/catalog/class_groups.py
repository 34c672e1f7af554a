"""Seen, near and unseen: the classes of a test set in three groups, for a model of one training set.

``seen`` are classes of the same name or its singular or plural, ``near`` those that the table of
judgements calls so, ``unseen`` all others, names of no concept such as ``Other`` included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ovrisisbench.catalog.cards import dataset_keys, load_card
from ovrisisbench.catalog.overlap import Level, class_overlap
from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.catalog.vocabularies import Vocabulary, load_vocabulary, vocabulary_names

__all__ = ["CLASS_GROUPS", "ClassGroup", "ClassGroups", "class_groups", "knows_classes"]

ClassGroup = Literal["seen", "near", "unseen"]

CLASS_GROUPS: Final[tuple[ClassGroup, ...]] = ("seen", "near", "unseen")
"""From most to least alike to what training has shown."""

_OF_LEVEL: Final[dict[Level, ClassGroup]] = {"exact": "seen", "variant": "seen", "near": "near", "unseen": "unseen"}


@dataclass(frozen=True, slots=True)
class ClassGroups:
    """The group of each class of a test set."""

    groups: tuple[ClassGroup, ...]
    """K groups, in label order."""
    is_judged: bool
    """False where the table does not list the pair of vocabularies; then no class is near."""

    def of(self, group: ClassGroup) -> tuple[bool, ...]:
        """Return K flags, whether a class is in the group."""
        return tuple(found == group for found in self.groups)


def knows_classes(train_set: str | None) -> bool:
    """Tell whether the class names of a training set are known: it has a card.

    Example:
        >>> knows_classes("dlrsd"), knows_classes("coco-stuff"), knows_classes(None)
        (True, False, False)
    """
    return train_set in dataset_keys()


def class_groups(
    train_set: str, class_names: Sequence[str], *, dataset: str, variant: str, table: OverlapTable | None = None
) -> ClassGroups:
    """Sort the classes of a test set by what a training set has shown.

    Args:
        train_set: key of a data set with a card, see :func:`knows_classes`.
        class_names: K names of the test set in label order, as the model was prompted.
        dataset: key of the test set; with ``variant`` it says which vocabulary these names are.
        variant: the tested reading of it.
        table: judgements; None for the installed table.

    Example:
        >>> class_groups("dlrsd", ["Water", "Roof"], dataset="mine", variant="all").groups
        ('seen', 'unseen')
    """
    train = load_vocabulary(load_card(train_set).variant().vocabulary)
    compared = class_overlap(train, _vocabulary(tuple(class_names), dataset, variant), table)
    return ClassGroups(tuple(_OF_LEVEL[match.level] for match in compared.classes), compared.is_judged)


def _vocabulary(class_names: tuple[str, ...], dataset: str, variant: str) -> Vocabulary:
    """Find the installed vocabulary that has these names, the tested variant's first: judgements go by its name."""
    names = list(vocabulary_names())
    if dataset in dataset_keys():
        card = load_card(dataset)
        of_variant = [found.vocabulary for found in card.variants if found.name == variant]
        names = [*of_variant, *names]
    for name in names:
        vocabulary = load_vocabulary(name)
        if vocabulary.class_names == class_names:
            return vocabulary
    # Nobody can have judged these names; what the names themselves say still holds.
    return Vocabulary(
        name=f"class names of {dataset}",
        dataset=dataset,
        source="a record",
        evidence="inference",
        class_names=class_names,
    )
