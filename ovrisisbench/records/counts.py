"""The counts of every image of one run on one data set, in one small file beside its record.

Metrics, intervals and paired tests are all computed from these integers, so
nobody has to run a model again to ask a new question of an old result.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.atomic import atomic_path
from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from ovrisisbench.evaluate.image_counts import ImageCounts

__all__ = ["CountsTable", "read_counts", "write_counts"]

_COLUMNS = ("ids", "scenes", "num_classes", "image", "truth", "prediction", "pixels")

_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What numpy, zipfile and zlib raise on files that are not what they should be."""


@dataclass(frozen=True, slots=True, eq=False)
class CountsTable:
    """Confusion counts of N images as one sparse table; images in the order of their ids.

    The four columns have one entry for each nonzero cell, sorted by image, truth, prediction.
    """

    ids: tuple[str, ...]
    """N names, unique, sorted."""
    scenes: tuple[str, ...]
    """The scene of each image; images of one scene are not independent."""
    num_classes: int
    image: NDArray[np.uint32]
    """(M,) index into :attr:`ids`."""
    truth: NDArray[np.uint8]
    """(M,) 0..K-1."""
    prediction: NDArray[np.uint8]
    """(M,) 0..K-1."""
    pixels: NDArray[np.uint64]
    """(M,) pixels, at least 1."""

    @classmethod
    def from_images(cls, images: Sequence[ImageCounts], *, scenes: Mapping[str, str], num_classes: int) -> CountsTable:
        """Gather the counts of single images; their order does not matter.

        Args:
            images: N images with unique ids.
            scenes: image id -> scene.
            num_classes: K.
        """
        ordered = sorted(images, key=lambda image: image.image_id)
        cells = np.concatenate([np.zeros((0, 3), np.int64), *(image.cells for image in ordered)])
        sizes = [len(image.cells) for image in ordered]
        table = cls(
            ids=tuple(image.image_id for image in ordered),
            scenes=tuple(scenes[image.image_id] for image in ordered),
            num_classes=num_classes,
            image=np.repeat(np.arange(len(ordered), dtype=np.uint32), sizes),
            truth=cells[:, 0].astype(np.uint8),
            prediction=cells[:, 1].astype(np.uint8),
            pixels=cells[:, 2].astype(np.uint64),
        )
        problem = table.problem()
        if problem:
            raise ValueError(problem)
        return table

    def __len__(self) -> int:
        return len(self.ids)

    def confusion(self) -> NDArray[np.int64]:
        """Return the (K, K) int64 sum over all images, rows truth."""
        total = np.zeros((self.num_classes, self.num_classes), np.int64)
        np.add.at(total, (self.truth, self.prediction), self.pixels.astype(np.int64))
        return total

    def image_confusions(self) -> NDArray[np.int64]:
        """Return (N, K, K) int64, rows truth; for resampling images or scenes."""
        dense = np.zeros((len(self), self.num_classes, self.num_classes), np.int64)
        dense[self.image, self.truth, self.prediction] = self.pixels.astype(np.int64)
        return dense

    def of_images(self, ids: Collection[str]) -> CountsTable:
        """Return the counts of some of the images alone; ids that are not in the table are passed over."""
        wanted = frozenset(ids)
        kept = np.array([name in wanted for name in self.ids], np.bool_)
        cells = kept[self.image]
        position = np.cumsum(kept) - 1
        return CountsTable(
            ids=tuple(name for name in self.ids if name in wanted),
            scenes=tuple(scene for scene, keep in zip(self.scenes, kept.tolist(), strict=True) if keep),
            num_classes=self.num_classes,
            image=position[self.image[cells]].astype(np.uint32),
            truth=self.truth[cells],
            prediction=self.prediction[cells],
            pixels=self.pixels[cells],
        )

    def digest(self) -> str:
        """Return the sha256 of the decoded content, 64 hex digits, the same however the file is packed."""
        digest = hashlib.sha256()
        for name, column in self.arrays().items():
            # "<U12" and "<U20" hold the same names: text is digested as UTF-8, numbers as little-endian bytes.
            text = column.dtype.kind == "U"
            content = "\0".join(column.tolist()).encode() if text else column.tobytes()
            digest.update(f"{name} {column.shape} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what the file holds, by name, with fixed little-endian types."""
        return {
            "ids": np.asarray(self.ids, dtype=np.str_),
            "scenes": np.asarray(self.scenes, dtype=np.str_),
            "num_classes": np.asarray(self.num_classes, dtype="<i8"),
            "image": self.image.astype("<u4"),
            "truth": self.truth.astype("u1"),
            "prediction": self.prediction.astype("u1"),
            "pixels": self.pixels.astype("<u8"),
        }

    def problem(self) -> str:
        """Say what makes this no valid table, or return an empty string."""
        problem = self._misfit()
        if problem or not len(self.image):
            return problem
        if int(self.image.max()) >= len(self.ids):
            return f"counts image {int(self.image.max())}, but has only {len(self.ids)} images"
        if int(max(self.truth.max(), self.prediction.max())) >= self.num_classes:
            return f"counts a class outside 0..{self.num_classes - 1}"
        keys = (self.image.astype(np.int64) << 16) | (self.truth.astype(np.int64) << 8) | self.prediction
        if np.any(np.diff(keys) <= 0) or np.any(self.pixels == 0):
            return "has cells that repeat, are zero or are not sorted"
        return ""

    def _misfit(self) -> str:
        columns = (self.image, self.truth, self.prediction, self.pixels)
        if len(self.ids) != len(self.scenes):
            return f"has {len(self.ids)} image ids but {len(self.scenes)} scenes"
        if list(self.ids) != sorted(set(self.ids)):
            return "has image ids that repeat or are not sorted"
        if any(column.shape != self.image.shape or column.ndim != 1 for column in columns):
            return "has columns of different lengths"
        return ""


def write_counts(table: CountsTable, path: Path) -> None:
    """Write a ``.npz`` file atomically; equal tables give equal bytes.

    Args:
        table: the counts.
        path: ends in ``.npz``.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        # numpy stamps every member with 1980-01-01, so the bytes hold no time.
        np.savez_compressed(file, allow_pickle=False, **table.arrays())


def read_counts(path: Path) -> CountsTable:
    """Read and check a file of :func:`write_counts`.

    Raises:
        RecordError: missing, damaged, or not a table of counts.
    """
    try:
        # Opened here, because numpy leaves the file open when it turns out to be damaged.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            table = _table({name: file[name] for name in _COLUMNS})
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing; copy it from where the record was made, or evaluate again.") from error
    except _DAMAGE as error:
        raise RecordError(
            f"{path} is damaged or not a file of per-image counts ({' '.join(str(error).split())}); "
            "restore it, or evaluate again."
        ) from error
    problem = table.problem()
    if problem:
        raise RecordError(f"{path} {problem}; restore it, or evaluate again.")
    return table


def _table(arrays: Mapping[str, NDArray[np.generic]]) -> CountsTable:
    for name in ("image", "truth", "prediction", "pixels"):
        if arrays[name].dtype.kind != "u":
            raise ValueError(f"column '{name}' holds {arrays[name].dtype}, not unsigned integers")
    return CountsTable(
        ids=tuple(arrays["ids"].tolist()),
        scenes=tuple(arrays["scenes"].tolist()),
        num_classes=int(arrays["num_classes"].item()),
        image=arrays["image"].astype(np.uint32),
        truth=arrays["truth"].astype(np.uint8),
        prediction=arrays["prediction"].astype(np.uint8),
        pixels=arrays["pixels"].astype(np.uint64),
    )
