"""Protocols: the versioned rules that give a number its identity."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from ovrisisbench.catalog.cards import IGNORE_INDEX, Variant, load_card
from ovrisisbench.catalog.identity import short_id
from ovrisisbench.catalog.vocabularies import Vocabulary, load_vocabulary
from ovrisisbench.catalog.yaml_files import CatalogModel, installed_files, load_yaml
from ovrisisbench.errors import CatalogError, did_you_mean

__all__ = ["DEFAULT_PROTOCOL", "Convention", "Protocol", "TestSet", "load_protocol", "protocol_names"]

DEFAULT_PROTOCOL = "ovrisisbench-v1"

Convention = Literal["detectron2", "detectron2-0.6"]
"""Which classes a mean runs over; see :mod:`ovrisisbench.evaluate.metrics`."""


class TestSet(CatalogModel):
    """One data set as the protocol tests it."""

    __test__ = False  # pytest: this is not a test class

    dataset: str
    variant: str
    vocabulary: str
    splits: Literal["all labelled"] = "all labelled"
    """Which images are tested, before any are held out."""


class Protocol(CatalogModel):
    """Training sets, test sets, held-out rule and metric convention under one name."""

    format: Literal[1]
    name: str
    title: str
    description: str
    train_sets: tuple[str, ...]
    test_sets: tuple[TestSet, ...] = Field(min_length=1)
    """In the order of the columns of a table."""
    held_out: Literal["nothing", "training split"]
    """``training split``: a model is not tested on the images of its training set's ``train`` split."""
    metric_convention: Convention
    ignore_index: Literal[255] = IGNORE_INDEX

    @model_validator(mode="after")
    def _one_test_per_dataset(self) -> Protocol:
        keys = [test.dataset for test in self.test_sets]
        doubled = sorted({key for key in keys if keys.count(key) > 1})
        if doubled:
            raise ValueError(f"test_sets: listed more than once: {doubled}")
        return self

    @property
    def id(self) -> str:
        """Eight hex digits of everything that can change a number; equal rules have equal ids."""
        return short_id(
            {
                "train_sets": list(self.train_sets),
                "held_out": self.held_out,
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

    def held_out_splits(self, dataset: str, train_set: str | None) -> frozenset[str]:
        """Return the splits of ``dataset`` that a model trained on ``train_set`` is not tested on."""
        if self.held_out == "training split" and dataset == train_set:
            return frozenset({"train"})
        return frozenset()


def protocol_names() -> list[str]:
    """Return the names of all installed protocols, sorted."""
    return list(installed_files("protocols"))


@cache
def load_protocol(name: str = DEFAULT_PROTOCOL) -> Protocol:
    """Read an installed protocol by name, or any by the path of its YAML file.

    Args:
        name: such as ``ovrisisbench-v1``, or a path that ends in ``.yaml``.

    Raises:
        CatalogError: no such protocol, or a field in it, its cards or its vocabularies is wrong.
    """
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
