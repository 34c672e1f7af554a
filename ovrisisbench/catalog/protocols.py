"""Protocols: the versioned rules that give a number its identity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from ovrisisbench.catalog.cards import IGNORE_INDEX, Variant, load_card
from ovrisisbench.catalog.identity import short_id
from ovrisisbench.catalog.vocabularies import Vocabulary, load_vocabulary
from ovrisisbench.catalog.yaml_files import CatalogModel, installed_files, load_yaml
from ovrisisbench.errors import CatalogError, did_you_mean

__all__ = [
    "DEFAULT_PROTOCOL",
    "TRAIN_SPLIT",
    "Convention",
    "Protocol",
    "TestSet",
    "load_protocol",
    "protocol_for_training_set",
    "protocol_names",
    "protocols_testing",
]

DEFAULT_PROTOCOL = "ovrisisbench-v1"

TRAIN_SPLIT: Final = "train"
"""The split that models are trained on."""

Convention = Literal["detectron2", "detectron2-0.6"]
"""Which classes a mean runs over; see :mod:`ovrisisbench.evaluate.metrics`."""


class TestSet(CatalogModel):
    """One data set as the protocol tests it."""

    __test__ = False  # pytest: this is not a test class

    dataset: str
    variant: str
    vocabulary: str
    splits: Literal["all labelled", "all but train"] = "all labelled"
    """Which images are tested, before any are held out; ``all but train``: none for training, by any model."""

    def tests_split(self, split: str) -> bool:
        """Tell whether images of one split of the data set are tested."""
        return self.splits == "all labelled" or split != TRAIN_SPLIT


class Protocol(CatalogModel):
    """Training sets, test sets, held-out rule and metric convention under one name."""

    format: Literal[1]
    name: str
    title: str
    description: str
    train_sets: tuple[str, ...]
    test_sets: tuple[TestSet, ...] = Field(min_length=1)
    """In the order of the columns of a table."""
    held_out: Literal["nothing", "seen in training"]
    """``seen in training``: a model is not tested on the ``train`` split of its training set, nor on copies of it."""
    near_duplicate_distance: Annotated[int, Field(ge=0, le=64)] | None = None
    """Bits of 256 in which the hash of a copy may differ; 0 still leaves out images of equal hash."""
    metric_convention: Convention
    ignore_index: Literal[255] = IGNORE_INDEX

    @model_validator(mode="after")
    def _one_test_per_dataset(self) -> Protocol:
        keys = [test.dataset for test in self.test_sets]
        doubled = sorted({key for key in keys if keys.count(key) > 1})
        if doubled:
            raise ValueError(f"test_sets: listed more than once: {doubled}")
        return self

    @model_validator(mode="after")
    def _distance_with_its_rule(self) -> Protocol:
        if self.holds_out_seen != (self.near_duplicate_distance is not None):
            raise ValueError("near_duplicate_distance: is given exactly if held_out is 'seen in training'")
        return self

    @property
    def holds_out_seen(self) -> bool:
        """True if a model is not tested on what its training has seen."""
        return self.held_out == "seen in training"

    @property
    def id(self) -> str:
        """Eight hex digits of everything that can change a number; equal rules have equal ids."""
        near = {} if self.near_duplicate_distance is None else {"near_duplicate_distance": self.near_duplicate_distance}
        return short_id(
            {
                "train_sets": list(self.train_sets),
                "held_out": self.held_out,
                **near,
                "metric_convention": self.metric_convention,
                "ignore_index": self.ignore_index,
                "test_sets": [
                    {
                        "dataset": test.dataset,
                        "splits": test.splits,
                        "variant": self.variant(test.dataset).rules(),
                        "class_names": list(self.vocabulary(test.dataset).class_names),
                    }
                    for test in self.test_sets
                ],
            }
        )

    @property
    def datasets(self) -> tuple[str, ...]:
        """Keys of the test sets in table order."""
        return tuple(test.dataset for test in self.test_sets)

    def test_set(self, dataset: str) -> TestSet:
        """Return the test set of a data set.

        Raises:
            CatalogError: the protocol does not test that data set.
        """
        for test in self.test_sets:
            if test.dataset == dataset:
                return test
        hint = did_you_mean(dataset, self.datasets)
        raise CatalogError(
            f"Protocol {self.name} does not test '{dataset}'; it tests {', '.join(self.datasets)}.{hint}"
        )

    def variant(self, dataset: str) -> Variant:
        """Return the variant of a data set that this protocol tests."""
        return load_card(dataset).variant(self.test_set(dataset).variant)

    def vocabulary(self, dataset: str) -> Vocabulary:
        """Return the vocabulary of a data set under this protocol."""
        return load_vocabulary(self.test_set(dataset).vocabulary)

    def train_variant(self, train_set: str) -> Variant:
        """Return the variant that a model trained on ``train_set`` has seen: the tested one, or the card's default."""
        tested = self.test_set(train_set).variant if train_set in self.datasets else None
        return load_card(train_set).variant(tested)

    def with_variants(self, variants: Mapping[str, str]) -> Protocol:
        """Return this protocol with other variants of some data sets, under a name that says so.

        The name lists the data sets in the order of the table; without a difference it is this protocol itself.

        Args:
            variants: key of a data set -> name of its variant.

        Raises:
            CatalogError: a data set that is not tested, or a variant that its card does not have.
        """
        for dataset in variants:
            self.test_set(dataset)
        tests, changes = [], []
        for test in self.test_sets:
            variant = load_card(test.dataset).variant(variants.get(test.dataset, test.variant))
            if variant.name != test.variant:
                changes.append(f"{test.dataset}:{variant.name}")
            tests.append(test.model_copy(update={"variant": variant.name, "vocabulary": variant.vocabulary}))
        if not changes:
            return self
        return self.model_copy(
            update={
                "name": "+".join([self.name, *changes]),
                "title": f"{self.title}, with {', '.join(changes)}",
                "description": f"{self.description} Tested in other variants: {', '.join(changes)}.",
                "test_sets": tuple(tests),
            }
        )


def protocol_names() -> list[str]:
    """Return the names of all installed protocols, sorted."""
    return list(installed_files("protocols"))


def protocols_testing(dataset: str) -> tuple[str, ...]:
    """Return the names of the installed protocols that test a data set, sorted; none for one that waits for its first.

    Args:
        dataset: key of a card.

    Example:
        >>> protocols_testing("loveda")
        ('ovrisisbench-v1', 'ovrisisbench-v1-heldout')
    """
    return tuple(name for name in protocol_names() if dataset in load_protocol(name).datasets)


def protocol_for_training_set(train_set: str | None) -> str:
    """Return the name of the protocol that is meant where a training set is named and no protocol.

    It is the default one, unless the training set belongs to exactly one other installed protocol and not to it.

    Example:
        >>> protocol_for_training_set("dlrsd"), protocol_for_training_set("mini-dlrsd")
        ('ovrisisbench-v1', 'ovrisisbench-mini-v1')
    """
    if train_set is None or train_set in load_protocol().train_sets:
        return DEFAULT_PROTOCOL
    others = [name for name in protocol_names() if train_set in load_protocol(name).train_sets]
    return others[0] if len(others) == 1 else DEFAULT_PROTOCOL


@cache
def load_protocol(name: str = DEFAULT_PROTOCOL) -> Protocol:
    """Read an installed protocol by name, or any by the path of its YAML file.

    ``+dataset:variant``, any number of times, asks for the same rules on other
    variants: a protocol of its own, with its own id.

    Args:
        name: such as ``ovrisisbench-v1``, a path that ends in ``.yaml``, or
            ``ovrisisbench-v1+potsdam:grid-512``.

    Raises:
        CatalogError: no such protocol, data set or variant, or a field in it, its cards or its vocabularies is wrong.

    Example:
        >>> load_protocol("ovrisisbench-v1+vaihingen:grid-512+potsdam:grid-512").name
        'ovrisisbench-v1+potsdam:grid-512+vaihingen:grid-512'
    """
    base, variants = _split_name(name)
    protocol = _read_protocol(base)
    return protocol.with_variants(variants) if variants else protocol


def _split_name(name: str) -> tuple[str, dict[str, str]]:
    """Split ``base+dataset:variant+...``; a ``+`` before the ending of a file belongs to its path."""
    path, ending, rest = name.rpartition(".yaml")
    base, *changes = [path + ending, *rest.split("+")[1:]] if ending and rest[:1] in ("", "+") else name.split("+")
    variants: dict[str, str] = {}
    for change in changes:
        dataset, colon, variant = change.partition(":")
        if not (dataset and colon and variant):
            raise CatalogError(
                f"'{name}': '+{change}' names no variant; write +DATASET:VARIANT, such as +potsdam:grid-512."
            )
        if variants.setdefault(dataset, variant) != variant:
            raise CatalogError(f"'{name}' asks for two variants of {dataset}; leave one of them out.")
    return base, variants


def _read_protocol(name: str) -> Protocol:
    if name.endswith(".yaml"):
        protocol = load_yaml(Path(name), Protocol)
    else:
        installed = installed_files("protocols")
        if name not in installed:
            hint = did_you_mean(name, installed)
            raise CatalogError(f"There is no protocol '{name}'; known are {', '.join(installed)}.{hint}")
        protocol = load_yaml(installed[name], Protocol)
    for test in protocol.test_sets:
        variant = load_card(test.dataset).variant(test.variant)
        if variant.vocabulary != test.vocabulary:
            raise CatalogError(
                f"{name}: field 'test_sets.{test.dataset}.vocabulary': is '{test.vocabulary}', but variant "
                f"'{variant.name}' of the card has '{variant.vocabulary}'."
            )
    return protocol
