"""Which layouts of which data sets this release reads, and where prepared files lie.

A new layout is a block of patterns on its card; one that needs more than
patterns is a file with a :class:`~ovrisisbench.prepare.layouts.interface.LayoutReader`
and one line here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.catalog.cards import dataset_keys, load_card
from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from ovrisisbench.prepare.layouts.interface import LayoutReader

__all__ = ["READERS", "load_reader", "prepared_path", "readable_datasets", "readable_layouts"]

READERS: Final[dict[str, dict[str, str]]] = {
    "isaid": {"publisher": "ovrisisbench.prepare.layouts.isaid:IsaidPublisher"},
    "potsdam": {"publisher": "ovrisisbench.prepare.layouts.potsdam:PotsdamPublisher"},
    "vaihingen": {"publisher": "ovrisisbench.prepare.layouts.vaihingen:VaihingenPublisher"},
}
"""Data set -> layout on its card -> ``"module:Class"`` of a reader of its own, imported at first use.

The other layouts are read by the patterns on their cards."""


def readable_datasets() -> list[str]:
    """Return the keys of the data sets that can be prepared."""
    return [key for key in dataset_keys() if readable_layouts(key)]


def readable_layouts(dataset: str) -> list[str]:
    """Return the layouts of one data set that can be read; none if it has no reader."""
    card = load_card(dataset)
    own = READERS.get(card.family, {})
    return [layout.name for layout in card.layouts if layout.name in own or layout.images]


def load_reader(dataset: str, layout: str) -> LayoutReader:
    """Return the reader of one layout.

    Raises:
        DataError: this release has none.
    """
    if layout not in readable_layouts(dataset):
        raise DataError(
            f"This release has no reader for the layout '{layout}' of {load_card(dataset).title}; it reads "
            f"{', '.join(readable_layouts(dataset)) or 'none'}."
        )
    home = READERS.get(load_card(dataset).family, {}).get(layout, "ovrisisbench.prepare.layouts.card_layout:CardLayout")
    module, _, name = home.partition(":")
    reader: LayoutReader = getattr(import_module(module), name)(dataset, layout)
    return reader


def prepared_path(data: Path, dataset: str, variant: str | None = None) -> Path:
    """Return where a prepared data set lies in the folder ``data``.

    Args:
        data: the folder given with ``--to`` or ``--data``.
        dataset: key of the card.
        variant: its name is part of the file name unless it is the default one.

    Raises:
        CatalogError: unknown data set or variant.
    """
    card = load_card(dataset)
    name = card.variant(variant).name
    return data / (f"{dataset}.h5" if name == card.default_variant else f"{dataset}-{name}.h5")
