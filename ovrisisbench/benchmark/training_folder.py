"""The folder that a training writes into: who may, and where a training goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ovrisisbench.errors import TrainingError

if TYPE_CHECKING:
    from ovrisisbench.evaluate.processes import Processes
    from ovrisisbench.train.checkpoints import SavedState

__all__ = ["FINAL", "alone", "own_folder", "saved_state"]

FINAL = "model_final.safetensors"
"""Name of the weights after the last step."""


def saved_state(folder: Path, identity: Mapping[str, Any], *, resume: bool) -> SavedState | None:
    """Return where a training goes on; None for a beginning, or for one that is finished."""
    from ovrisisbench.train.checkpoints import check_identity, find_saved
    from ovrisisbench.train.engine import LOG

    if not resume:
        if (folder / LOG).exists() or (folder / FINAL).exists():
            raise TrainingError(
                f"{folder} holds a training already; go on with it by --resume, or choose another folder with --to."
            )
        return None
    saved = find_saved(folder)
    if saved is not None:
        check_identity(saved, identity, folder)
    return saved


@contextmanager
def alone(folder: Path, processes: Processes) -> Iterator[None]:
    """Keep other trainings out of a folder while this one writes into it."""
    if not processes.is_first:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise TrainingError(f"Another training is writing into {folder} right now; wait for it.") from error


def own_folder(model: str, backbone: str | None, train_set: str) -> Path:
    """Return where a training writes that was given no folder.

    Example:
        >>> own_folder("cat-seg", "vit-b", "dlrsd").as_posix()
        'trained/cat-seg_vit-b_dlrsd'
    """
    return Path("trained") / "_".join([Path(model).stem, *([backbone] if backbone else []), train_set])
