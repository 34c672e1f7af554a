"""Which layouts of which data sets this release reads, and where prepared files lie.

A new layout is one file with a :class:`~ovrisisbench.prepare.layouts.LayoutReader`
and one line here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.catalog.cards import load_card
from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from ovrisisbench.prepare.layouts import LayoutReader

__all__ = ["READERS", "load_reader", "prepared_path", "readable_datasets", "readable_layouts"]

READERS: Final[dict[str, dict[str, str]]] = {
    "isaid": {
        "publisher": "ovrisisbench.prepare.isaid:IsaidPublisher",
        "bundle": "ovrisisbench.prepare.isaid_bundle:IsaidBundle",
    },
}
"""Data set -> layout on its card -> ``"module:Class"`` of the reader, imported at first use."""


def readable_datasets() -> list[str]:
    """Return the keys of the data sets that can be prepared."""
    return sorted(READERS)


def readable_layouts(dataset: str) -> list[str]:
    """Return the layouts of one data set that can be read; none if it has no reader."""
    return list(READERS.get(dataset, {}))


def load_reader(dataset: str, layout: str) -> LayoutReader:
    """Return the reader of one layout.

    Raises:
        DataError: this release has none for the data set.
    """
    if layout not in readable_layouts(dataset):
        raise DataError(
            f"This release has no reader for {load_card(dataset).title}; it reads {', '.join(readable_datasets())}."
        )
    module, _, name = READERS[dataset][layout].partition(":")
    reader: LayoutReader = getattr(import_module(module), name)()
    return reader


def prepared_path(data: Path, dataset: str, variant: str | None = None) -> Path:
    """Return where a prepared data set lies in the folder ``data``.

    Args:
        data: the folder given with ``--to`` or ``--data``.
        dataset: key of the card.
        variant: its name is part of the file name unless it is the default one.
    """
    if variant in (None, load_card(dataset).default_variant):
        return data / f"{dataset}.h5"
    return data / f"{dataset}-{variant}.h5"
