"""Which printed rows show the same model: what an audit of published tables compares."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from ovrisisbench.catalog.yaml_files import CatalogModel, load_yaml
from ovrisisbench.records.published_ablations import SwitchValue

__all__ = ["CompleteRow", "DepthTable", "MainRow", "SameRows", "SharedRows", "read_same_rows"]


class MainRow(CatalogModel):
    """The model of the main table that the ablations take apart; one row for each training set."""

    table: str
    """Name of a published table."""
    model: str
    backbone: str
    """As printed."""


class CompleteRow(CatalogModel):
    """The row of an ablation that shows the complete model."""

    table: str
    """Name of a published ablation."""
    switches: dict[str, SwitchValue]


class DepthTable(CatalogModel):
    """The ablation of the number of layers."""

    table: str
    switch: str


class SharedRows(CatalogModel):
    """Two ablations that have configurations in common."""

    first: str
    second: str
    switches: dict[str, str]
    """Key of a switch of the first -> key of the same switch of the second."""
    off_in_first: tuple[str, ...] = ()
    """Other switches, which a shared row must have off."""
    off_in_second: tuple[str, ...] = ()


class SameRows(CatalogModel):
    """All of it."""

    format: Literal[1]
    main: MainRow
    complete: tuple[CompleteRow, ...]
    depth: DepthTable
    pairs: tuple[SharedRows, ...]


@cache
def read_same_rows() -> SameRows:
    """Read ``results/published/same_rows.yaml``.

    Raises:
        CatalogError: a field of it is wrong.
    """
    return load_yaml(files("ovrisisbench.results").joinpath("published", "same_rows.yaml"), SameRows)
