"""A model's ablations as data: which switch of the network stands behind every row of a printed table.

One YAML file a model, beside its adapter. Imports neither numpy nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ovrisisbench.catalog.yaml_files import load_referenced

__all__ = ["Ablation", "AblationFile", "AblationRow", "load_ablations"]

SwitchValue = bool | int | str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AblationRow(_Part):
    """One row: a network, how it is trained, and from which files."""

    switches: dict[str, SwitchValue] = Field(default_factory=dict)
    """The row of the printed table, by keys of its columns; what is left out is off."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Switches of the model that this row turns, as one would type them after ``--set``."""
    recipe: dict[str, str] = Field(default_factory=dict)
    """Fields of the recipe that this row changes."""
    files: dict[str, str] = Field(default_factory=dict)
    """Name of an encoder's file -> name of the file that takes its place in this row."""


class Ablation(_Part):
    """One table."""

    title: str
    """What is tried, in a few words."""
    published: str
    """Name of the published table."""
    train_sets: Annotated[tuple[str, ...], Field(min_length=1)]
    """What the source trains on, as far as it says so."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Switches that are turned in every row that does not turn them itself."""
    reference: dict[str, SwitchValue] = Field(default_factory=dict)
    """Switches of the row that the others are compared with."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that the source leaves open, and how it is read here."""
    rows: Annotated[tuple[AblationRow, ...], Field(min_length=1)]


class _Case(_Part):
    """What the whole model has for some backbone or training set."""

    backbone: str | None = None
    train_set: str | None = None
    """Drawn data sets count as the one they are drawn after."""
    settings: dict[str, str]


class AblationFile(_Part):
    """All ablations of a model."""

    format: Literal[1]
    source: str
    settings: dict[str, str]
    """The whole model: every switch that any row turns."""
    cases: tuple[_Case, ...] = ()
    """Later ones win."""
    encoders: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Name of an encoder's file -> the settings under which the network has this encoder."""
    extra_files: dict[str, str] = Field(default_factory=dict)
    """Files that only ablations need: name -> what it is."""
    ablations: Annotated[dict[str, Ablation], Field(min_length=1)]

    def settings_of(
        self, ablation: Ablation, row: AblationRow, *, changes: Mapping[str, str], backbone: str, train_set: str
    ) -> dict[str, str]:
        """Return every switch of a row; later ones win: the whole model's, the table's, the user's, the row's.

        Args:
            ablation: the table.
            row: one of its rows.
            changes: what the user turns.
            backbone: of the network.
            train_set: key of the data set, or of the one it is drawn after.
        """
        settings = dict(self.settings)
        for case in self.cases:
            if case.backbone in (None, backbone) and case.train_set in (None, train_set):
                settings |= case.settings
        return {**settings, **ablation.settings, **changes, **row.settings}

    def files_of(self, row: AblationRow, settings: Mapping[str, str]) -> dict[str, str]:
        """Return which files the encoders of a row start from: name of the encoder -> name of the file."""
        return {
            name: row.files.get(name, name)
            for name, needed in self.encoders.items()
            if all(settings.get(switch) == value for switch, value in needed.items())
        }


def load_ablations(reference: str) -> AblationFile:
    """Read a model's ablations.

    Args:
        reference: ``"package:file.yaml"``.

    Raises:
        CatalogError: a field in it is wrong.
    """
    return load_referenced(reference, AblationFile)
