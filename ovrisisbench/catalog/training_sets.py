"""Training sets that no protocol names: those of published weights, and a user's own.

A protocol compares models trained on *its* training sets. Weights trained on
something else can be measured as well; their rows stand in blocks of their own.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ovrisisbench.catalog.cards import dataset_keys, load_card
from ovrisisbench.catalog.yaml_files import CatalogModel, load_yaml

__all__ = ["OUTSIDE_PREFIX", "UNSTATED", "TrainingSet", "is_outside", "outside_training_sets", "training_set_title"]

OUTSIDE_PREFIX = "other:"
"""Begins the key of a training set that nobody has described, such as ``other:my-tiles``."""

UNSTATED = f"{OUTSIDE_PREFIX}unstated"
"""The training set of predictions of which nobody has said what made them."""


class TrainingSet(CatalogModel):
    """One training set without a card."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """What one types after ``--train-set``."""
    title: str
    """As tables print it."""
    classes: Annotated[int, Field(ge=1)]
    """Names that models are trained with."""
    note: str
    source: str


class _TrainingSets(CatalogModel):
    format: Literal[1]
    training_sets: tuple[TrainingSet, ...]

    @model_validator(mode="after")
    def _keys_are_unique(self) -> _TrainingSets:
        keys = [found.key for found in self.training_sets]
        doubled = sorted({key for key in keys if keys.count(key) > 1 or key in dataset_keys()})
        if doubled:
            raise ValueError(f"training_sets: listed more than once, or a data set with a card: {doubled}")
        return self


@cache
def outside_training_sets() -> dict[str, TrainingSet]:
    """Return the training sets without a card, by key.

    Raises:
        CatalogError: a field of ``splits/training_sets.yaml`` is wrong.

    Example:
        >>> sorted(outside_training_sets())
        ['coco-stuff', 'landdiscover50k']
    """
    content = load_yaml(files("ovrisisbench.splits").joinpath("training_sets.yaml"), _TrainingSets)
    return {found.key: found for found in content.training_sets}


def is_outside(train_set: str) -> bool:
    """Tell whether a training set is known or allowed although no protocol names it.

    Example:
        >>> is_outside("coco-stuff"), is_outside("other:my-tiles"), is_outside("other:"), is_outside("dlrsd")
        (True, True, False, False)
    """
    return train_set in outside_training_sets() or bool(re.fullmatch(rf"{OUTSIDE_PREFIX}[\w.-]+", train_set))


def training_set_title(train_set: str) -> str:
    """Return the short title of a training set for a table; an unknown key is its own title.

    Example:
        >>> training_set_title("isaid"), training_set_title("coco-stuff"), training_set_title("other:my-tiles")
        ('iSAID', 'COCO-Stuff', 'my-tiles')
    """
    if train_set in dataset_keys():
        return load_card(train_set).title.split()[-1]
    if train_set == UNSTATED:
        return "an unstated set"
    outside = outside_training_sets().get(train_set)
    return outside.title if outside else train_set.removeprefix(OUTSIDE_PREFIX)
