"""The small trained weights that come with the package: which there are, and where they lie.

They are listed in ``adapters/tiny_weights/index.yaml``. A run takes one of them
for its model, backbone and training set when no other weights are given, and a
training starts from the encoders among them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from ovrisisbench.adapter.own_files import FileName, Sha256
from ovrisisbench.catalog.yaml_files import CatalogModel, load_yaml
from ovrisisbench.errors import CheckpointError

__all__ = [
    "CHECKPOINT",
    "CLIP",
    "MOST_BYTES",
    "ShippedEncoder",
    "ShippedFile",
    "ShippedIndex",
    "ShippedModel",
    "find_encoders",
    "find_shipped",
    "load_shipped",
    "read_index",
    "shipped_path",
]

CHECKPOINT: Final = "checkpoint"
"""The place of an encoder in a model that is nothing but this encoder."""

CLIP: Final = "clip"
"""The place of CLIP in a model; other encoders have the names of ``AdapterInfo.pretrained``."""

MOST_BYTES: Final = 8_000_000
"""Size of all shipped files together; an index that lists more does not load."""


class ShippedFile(CatalogModel):
    """A file in the folder of the index, and how it was made."""

    file: FileName
    sha256: Sha256
    size: Annotated[int, Field(ge=1)]
    """In bytes."""
    command: Annotated[str, Field(min_length=1)]
    """What makes it again, as one would type it."""
    seed: int
    note: str = ""


class ShippedEncoder(ShippedFile):
    """Weights that trainings start from; trained models share the tensors of it that stayed frozen."""

    backbone: str
    """Of the models below."""
    starts: dict[str, str]
    """Model -> place in it: :data:`CLIP`, a name of ``AdapterInfo.pretrained``, or :data:`CHECKPOINT`."""


class ShippedModel(ShippedFile):
    """Weights that a run can take."""

    model: str
    """What one types after ``--model``."""
    backbone: str
    train_set: str


class ShippedIndex(CatalogModel):
    """All shipped weights."""

    format: Literal[1]
    encoders: tuple[ShippedEncoder, ...]
    models: tuple[ShippedModel, ...]

    @property
    def files(self) -> tuple[ShippedFile, ...]:
        """Every shipped file."""
        return (*self.encoders, *self.models)

    @model_validator(mode="after")
    def _each_once(self) -> ShippedIndex:
        names = [entry.file for entry in self.files]
        served = [(entry.model, entry.backbone, entry.train_set) for entry in self.models]
        for what in (names, served):
            doubled = [entry for position, entry in enumerate(what) if entry in what[:position]]
            if doubled:
                raise ValueError(f"{doubled[0]} is listed more than once")
        return self

    @model_validator(mode="after")
    def _small(self) -> ShippedIndex:
        total = sum(entry.size for entry in self.files)
        if total > MOST_BYTES:
            raise ValueError(f"the files have {total:,} bytes together, but at most {MOST_BYTES:,} are shipped")
        return self


def read_index(folder: Path) -> ShippedIndex:
    """Read the index of a folder as it is now.

    Raises:
        CatalogError: a field of it is wrong.
    """
    return load_yaml(folder / "index.yaml", ShippedIndex)


@cache
def load_shipped(folder: Path | None = None) -> ShippedIndex:
    """Return the index of the shipped weights; no weights are read.

    Args:
        folder: where it lies; None for the installed one.

    Raises:
        CatalogError: a field of it is wrong.
    """
    return read_index(folder or _installed())


def find_shipped(model: str, backbone: str, train_set: str) -> ShippedModel | None:
    """Return the shipped weights of a model, backbone and training set; None if there are none.

    Args:
        model: what one types after ``--model``.
        backbone: likewise.
        train_set: likewise.
    """
    asked = (model, backbone, train_set)
    entries = load_shipped(_installed()).models
    return next((entry for entry in entries if (entry.model, entry.backbone, entry.train_set) == asked), None)


def find_encoders(model: str, backbone: str) -> dict[str, ShippedEncoder]:
    """Return the shipped encoders of a model by their place in it; none for most backbones.

    Args:
        model: what one types after ``--model``.
        backbone: likewise.
    """
    entries = [entry for entry in load_shipped(_installed()).encoders if entry.backbone == backbone]
    return {entry.starts[model]: entry for entry in entries if model in entry.starts}


def shipped_path(entry: ShippedFile) -> Path:
    """Return where a shipped file lies, after comparing it with the index.

    Raises:
        CheckpointError: it is not there, or it is not the one that was shipped.
    """
    from ovrisisbench.adapter.checkpoints import file_digest

    path = _installed() / entry.file
    if not path.is_file() or path.stat().st_size != entry.size or file_digest(path) != entry.sha256:
        raise CheckpointError(
            f"The shipped weights {path} are {'damaged' if path.exists() else 'missing'}; install ovrisisbench again."
        )
    return path


def _installed() -> Path:
    return Path(str(files("ovrisisbench.adapters.tiny_weights").joinpath("")))
