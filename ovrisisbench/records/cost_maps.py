"""Cost maps of a few images, in one small file beside the record of their model."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.atomic import atomic_path
from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.records.schema import Record

__all__ = ["CostMaps", "cost_maps_path", "read_cost_maps", "write_cost_maps"]

_DAMAGE: Final = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
_SIDE: Final = 48
"""Longest side of a stored map in cells; scores are reduced to it."""


@dataclass(frozen=True, slots=True, eq=False)
class CostMaps:
    """The maps of N images at every stage; what was measured does not depend on them."""

    result: str
    """``Record.result_digest()`` of the record they belong to."""
    ids: tuple[str, ...]
    """N image ids."""
    stages: Mapping[str, NDArray[np.float16]]
    """Stage -> (N, K, h, w)."""


def cost_maps_path(record: Record, folder: Path) -> Path:
    """Return where the maps of a record lie, beside it in ``folder``."""
    return folder / f"{record.stem}.cost-maps.npz"


def write_cost_maps(images: Mapping[str, Mapping[str, NDArray[np.float32]]], record: Record, path: Path) -> None:
    """Write the maps of some images atomically.

    Args:
        images: image id -> stage -> (K, h, w); the same stages for all.
        record: that they belong to.
        path: from :func:`cost_maps_path`.
    """
    stages = next(iter(images.values())).keys()
    arrays = {
        f"stage_{index}": np.stack([_reduced(maps[stage]) for maps in images.values()]).astype(np.float16)
        for index, stage in enumerate(stages)
    }
    names = {"ids": np.asarray([*images], np.str_), "stages": np.asarray([*stages], np.str_)}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        result = np.asarray(record.result_digest(), np.str_)
        np.savez_compressed(file, allow_pickle=False, result=result, **names, **arrays)


def read_cost_maps(path: Path) -> CostMaps:
    """Read a file of :func:`write_cost_maps`.

    Raises:
        RecordError: damaged, or not such a file.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            ids = tuple(map(str, file["ids"].tolist()))
            stages = {str(name): file[f"stage_{index}"] for index, name in enumerate(file["stages"].tolist())}
            result = str(file["result"].item())
        if any(maps.ndim != 4 or len(maps) != len(ids) or maps.dtype != np.float16 for maps in stages.values()):
            raise ValueError("its maps have another shape than its ids")
    except _DAMAGE as error:
        raise RecordError(
            f"{path} is damaged or holds no cost maps ({' '.join(str(error).split())}); run the model again with "
            "--keep-cost-maps, or remove the file."
        ) from error
    return CostMaps(result=result, ids=ids, stages=stages)


def _reduced(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (K, h, w) over blocks until no side is longer than ``_SIDE``."""
    factor = -(-max(maps.shape[1:]) // _SIDE)
    height, width = (side // factor for side in maps.shape[1:])
    blocks = maps[:, : height * factor, : width * factor].reshape(len(maps), height, factor, width, factor)
    return np.asarray(blocks.mean(axis=(2, 4)), np.float32)
