"""Weights files that carry where they come from: safetensors with a card in their header.

Tensors keep the names of the official code, so that such a file is read like an official one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ovrisisbench.adapter.checkpoints import file_digest
from ovrisisbench.atomic import atomic_path
from ovrisisbench.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WeightsCard", "read_card", "write_weights"]

_KEY = "ovrisisbench"
"""Entry of the header's metadata that holds the card."""


class WeightsCard(BaseModel):
    """What trained a file of weights, on what, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    model: str
    backbone: str
    settings: dict[str, str] = Field(default_factory=dict)
    train_set: str | None = None
    vocabulary: list[str] = Field(default_factory=list)
    protocol: str | None = None
    protocol_id: str | None = None
    data_digest: str | None = None
    recipe: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    iterations: int | None = None
    seed: int | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    command: list[str] = Field(default_factory=list)
    note: str | None = None


def write_weights(path: Path, tensors: Mapping[str, Tensor], card: WeightsCard) -> str:
    """Write a file atomically; equal input gives equal bytes.

    Args:
        path: ends in ``.safetensors``.
        tensors: by official name.
        card: what is known of them.

    Returns:
        The sha256 of the file.

    Raises:
        OvrisisBenchError: the disk is full or the folder cannot be written.
    """
    from safetensors.torch import save_file

    copies = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    with atomic_path(path) as temporary:
        save_file(copies, temporary, metadata={_KEY: card.model_dump_json()})
        return file_digest(temporary)


def read_card(path: Path) -> WeightsCard | None:
    """Return the card of a file; None for files of others.

    Raises:
        CheckpointError: the card is damaged.
    """
    if path.suffix != ".safetensors":
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
    except (SafetensorError, OSError):
        return None
    if text is None:
        return None
    try:
        return WeightsCard.model_validate(json.loads(text))
    except (ValueError, ValidationError) as error:
        raise CheckpointError(f"The card in {path} is damaged; write the file again.") from error
