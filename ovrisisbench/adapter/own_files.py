"""Weights files of our own: safetensors, with a card in the header that says what the weights are.

The tensors carry the key names of the official code, so whatever reads an
official file reads such a file too; the card is the one metadata entry
:data:`METADATA_KEY`, as JSON. Described in ``docs/weights-files.md``.

This file imports no torch at run time.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ovrisisbench.atomic import atomic_path
from ovrisisbench.catalog.yaml_files import validation_sentence
from ovrisisbench.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "CARD_FORMAT",
    "METADATA_KEY",
    "FileName",
    "Sha256",
    "SharedFile",
    "SharedTensor",
    "StoredRows",
    "WeightsCard",
    "read_card",
    "standing_alone",
    "write_weights",
]

CARD_FORMAT: Final = 1
"""Version of the card that this package writes; newer ones are refused."""

METADATA_KEY: Final = "ovrisisbench"
"""The one entry of a file's safetensors metadata; several have no fixed order there, so equal input could differ."""

_LENGTH = struct.Struct("<Q")
"""Begins every safetensors file: the length of its header in bytes."""

_LARGEST_HEADER = 100_000_000
"""As in safetensors itself."""

FileName = Annotated[str, Field(pattern=r"^[^/\\]+$")]
"""A bare name, of a file in the same folder."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""64 hex digits."""

RecipeValue = str | int | float | bool | None


class _CardModel(BaseModel):
    """Base of everything in a card: unknown fields are errors, objects are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StoredRows(_CardModel):
    """A table of which only some rows are stored."""

    stored: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1)]
    """Rows that it comes back with."""


class SharedTensor(_CardModel):
    """A tensor that stands in another file."""

    key: str
    """Its name there."""
    rows: tuple[int, int] | None = None
    """First row, and the one behind the last, where only a part of it is taken."""

    @model_validator(mode="after")
    def _rows_in_order(self) -> SharedTensor:
        if self.rows is not None and not 0 <= self.rows[0] < self.rows[1]:
            raise ValueError(f"rows says {self.rows}, which is no range of rows")
        return self


class SharedFile(_CardModel):
    """A base file in the same folder, and which of its tensors belong to this file too."""

    file: FileName
    sha256: Sha256
    tensors: dict[str, SharedTensor]
    """By the name that they have in this file."""


class WeightsCard(_CardModel):
    """What is known of trained weights; None, or empty, where it is not known."""

    format: int = CARD_FORMAT
    model: str
    """What one types after ``--model``; for a base file what it is, such as ``clip``."""
    backbone: str
    settings: dict[str, str] = Field(default_factory=dict)
    """Switches of the model that belong to these weights, as one would type them; defaults of a run."""
    train_set: str | None = None
    """What one types after ``--train-set``."""
    vocabulary: list[str] = Field(default_factory=list)
    """Class names that the weights were trained with, in label order."""
    protocol: str | None = None
    """Name of the protocol whose training split was taken."""
    protocol_id: str | None = None
    data_digest: str | None = None
    """Of the prepared data set that was trained on."""
    recipe: dict[str, RecipeValue] = Field(default_factory=dict)
    iterations: int | None = None
    seed: int | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    """Installed version by package name, when it was trained or converted."""
    command: list[str] = Field(default_factory=list)
    """The words that made the file."""
    note: str | None = None

    # What follows describes the compact form (compact_files.py); empty in every other file.
    stored_as: Literal["float16", "bfloat16", "float32"] | None = None
    """How floating values are stored; they come back as float32. None: every tensor is stored as it is."""
    tables: dict[str, StoredRows] = Field(default_factory=dict)
    """Tables of which only some rows are stored; the others come back as zeros."""
    shares: list[SharedFile] = Field(default_factory=list)
    """Base files whose tensors belong to this file too."""

    @property
    def is_compact(self) -> bool:
        """True if the file must be restored before its tensors are what the card says."""
        return self.stored_as is not None


def write_weights(path: Path, tensors: Mapping[str, Tensor], card: WeightsCard) -> str:
    """Write tensors and their card as one safetensors file, atomically.

    Values and dtypes are kept as they are; equal input gives equal bytes.

    Args:
        path: the file to write; its name must end in ``.safetensors``.
        tensors: any shapes and dtypes, by official key name; of any device and layout.
        card: what they are.

    Returns:
        The sha256 of the file, 64 hex digits.

    Raises:
        CheckpointError: the name has another ending, or there are no tensors.
        OvrisisBenchError: the disk is full, or the folder cannot be written.
    """
    from safetensors.torch import save_file

    from ovrisisbench.adapter.checkpoints import file_digest

    if path.suffix != ".safetensors":
        raise CheckpointError(f"{path} would be a safetensors file; give it a name that ends in .safetensors.")
    if not tensors:
        raise CheckpointError(f"There are no tensors to be written to {path}.")
    with atomic_path(path) as temporary:
        temporary.touch()
        permissions = temporary.stat().st_mode  # as the user's other files; safetensors lets nobody else read
        save_file(standing_alone(tensors), temporary, metadata={METADATA_KEY: _card_text(card)})
        temporary.chmod(permissions)
        # Digested before it gets its name: another process may replace the file right after.
        return file_digest(temporary)


def standing_alone(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors that are written by their values alone, by key in order, copying only where that is needed.

    None is transposed, shares memory with another, as tied weights do, or is part of a larger one.

    Args:
        tensors: any shapes and dtypes, of any device and layout.
    """
    alone: dict[str, Tensor] = {}
    taken: set[int] = set()
    for key in sorted(tensors):
        tensor = tensors[key].detach().cpu().contiguous()
        memory = tensor.untyped_storage()
        if memory.data_ptr() in taken or memory.nbytes() != tensor.nbytes:
            tensor = tensor.clone()
        taken.add(tensor.untyped_storage().data_ptr())
        alone[key] = tensor
    return alone


def read_card(path: Path) -> WeightsCard | None:
    """Read the card of a weights file; the tensors are not read.

    Args:
        path: any file of weights.

    Returns:
        The card; None for a file without one of ours, such as every official file.

    Raises:
        CheckpointError: no such file, a damaged safetensors file, or a card that is damaged or of a newer format.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}; check the path given to --checkpoint.")
    if path.suffix != ".safetensors":
        return None
    text = _metadata(path).get(METADATA_KEY)
    if text is None:
        return None
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"The card in {path} is not readable ({error}); get the file again.") from error
    newest = content.get("format") if isinstance(content, dict) else None
    if isinstance(newest, int) and newest > CARD_FORMAT:
        raise CheckpointError(
            f"{path} has a card of format {newest}, but this version of ovrisisbench reads up to format {CARD_FORMAT}; "
            "update it."
        )
    try:
        return WeightsCard.model_validate(content)
    except ValidationError as error:
        raise CheckpointError(f"The card in {validation_sentence(str(path), error)}") from error


def _metadata(path: Path) -> Mapping[str, str]:
    """Return the metadata of a safetensors file, read without torch or NumPy."""
    damaged = f"{path} is not a readable safetensors file"
    try:
        with path.open("rb") as file:
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            header = file.read(min(length, _LARGEST_HEADER))
        metadata = json.loads(header).get("__metadata__", {})
    except (OSError, ValueError, AttributeError, struct.error) as error:
        raise CheckpointError(f"{damaged} ({error}); download it again.") from error
    if len(header) != length or not isinstance(metadata, dict):
        raise CheckpointError(f"{damaged} (its header is cut off); download it again.")
    return metadata


def _card_text(card: WeightsCard) -> str:
    # Without what is not known: a card with many shared tensors would be half again as long.
    content = card.model_dump(mode="json", exclude_none=True)
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
