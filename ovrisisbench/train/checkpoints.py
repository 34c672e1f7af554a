"""What a training writes so that it can go on after a kill as if nothing had happened.

Every checkpoint is a file of weights that any command reads. The last one has
Adam's memory beside it. Batches, and what a network draws by itself, are
functions of the seed and the step, so there is no other random state to keep.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ovrisisbench.adapter.checkpoints import file_digest
from ovrisisbench.atomic import atomic_path
from ovrisisbench.errors import TrainingError

__all__ = ["FINAL", "SavedState", "check_identity", "find_saved", "remove_states", "save_state", "weights_path"]

FINAL = "model_final.safetensors"
"""Name of the weights after the last step."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedState:
    """Where a training can go on."""

    step: int
    """Steps that were made."""
    weights: Path
    identity: dict[str, Any]
    """All that a training that goes on from here must have in common with it, by name."""
    optimiser: dict[str, dict[str, Any]]


def weights_path(folder: Path, step: int) -> Path:
    """Return where the weights after ``step`` steps lie."""
    return folder / f"model_{step:07d}.safetensors"


def save_state(
    folder: Path, step: int, *, weights_digest: str, identity: Mapping[str, Any], optimiser: dict[str, dict[str, Any]]
) -> None:
    """Write what belongs to the weights of a step, and remove what belonged to earlier ones.

    Raises:
        OvrisisBenchError: the disk is full or the folder cannot be written.
    """
    content = {
        "format": _FORMAT,
        "step": step,
        "weights_sha256": weights_digest,
        "identity": dict(identity),
        "optimiser": optimiser,
    }
    path = folder / f"state_{step:07d}.pt"
    with atomic_path(path) as temporary:
        torch.save(content, temporary)
    remove_states(folder, but=path)


def remove_states(folder: Path, *, but: Path | None = None) -> None:
    """Remove what only a resumption needs."""
    for old in folder.glob("state_*.pt"):
        if old != but:
            old.unlink(missing_ok=True)


def check_identity(saved: SavedState, identity: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with anything else than what was begun.

    Raises:
        TrainingError: names the first difference.
    """
    for name, value in identity.items():
        before = saved.identity.get(name)
        if before != value:
            raise TrainingError(
                f"{folder} holds a training with {name}={before}, which cannot go on with {name}={value}; "
                "say the same as before, or choose another folder with --to."
            )


def find_saved(folder: Path) -> SavedState | None:
    """Return the last state of a folder whose weights are there; None if there is none.

    Raises:
        TrainingError: a file is damaged, or weights were changed afterwards.
    """
    for path in sorted(folder.glob("state_*.pt"), reverse=True):
        if not re.fullmatch(r"state_\d{7}\.pt", path.name):
            continue
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            state = SavedState(
                content["step"],
                weights_path(folder, content["step"]),
                content["identity"],
                content["optimiser"],
            )
            digest = content["weights_sha256"]
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, TypeError) as error:
            raise TrainingError(f"{path} is damaged; remove it to go on from an earlier checkpoint.") from error
        if not state.weights.is_file() or file_digest(state.weights) != digest:
            raise TrainingError(
                f"{state.weights} is missing or was changed after {path.name} was written; put it back, or remove both."
            )
        return state
    return None
