"""Images as arrays, the way that twins among them are looked for: equal pixels are one picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.prepare.duplicates.near_hashes import hash_words, near_pairs
from ovrisisbench.prepare.storage.manifest import Manifest, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Links", "Part", "PictureTable", "pixels_key"]

Part = tuple[str, str]
"""Data set and split."""

_WINDOW: Final = re.compile(r"(.+)_(\d+)_(\d+)_(\d+)_(\d+)")
"""Id of a window: name of the scene, then two intervals in its coordinates."""


def pixels_key(sample: Sample) -> tuple[int, int, str]:
    """Return what is equal for images of equal pixels only."""
    # The digest is of bytes in row order: one colour in 2 x 3 pixels has that of 3 x 2.
    return sample.height, sample.width, sample.image_sha256


class PictureTable:
    """The images of one data set, or of two, as arrays; equal pixels are one *picture*.

    Args:
        manifests: one or two.
    """

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self.samples = [sample for manifest in manifests for sample in manifest.samples]
        self.owners = len(manifests)
        owner = [number for number, manifest in enumerate(manifests) for _ in manifest.samples]
        names = [(number, sample.split) for number, sample in zip(owner, self.samples, strict=True)]
        parts = sorted(set(names))
        labels = _labels(manifests)
        self.parts: list[Part] = [(labels[number], split) for number, split in parts]
        self.owner_of_part = np.array([number for number, _ in parts], np.int64)
        order = {part: index for index, part in enumerate(parts)}
        self.part = np.array([order[name] for name in names], np.int64)
        numbers: dict[tuple[int, int, str], int] = {}
        self.picture = np.array([numbers.setdefault(pixels_key(sample), len(numbers)) for sample in self.samples], int)
        self.counts = np.zeros((len(numbers), len(parts)), np.int64)
        """(pictures, parts): images of a part that show a picture."""
        np.add.at(self.counts, (self.picture, self.part), 1)

    def near_pictures(self, distance: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Find near twins.

        Yields:
            Two arrays of numbers of pictures, (k,) each; of two data sets the first are those of the first.
        """
        hashes = {
            int(picture): sample.perceptual_hash
            for picture, sample in zip(self.picture, self.samples, strict=True)
            if sample.perceptual_hash is not None
        }
        sides = []
        for owner in range(self.owners):
            there = self.counts[:, self.owner_of_part == owner].sum(axis=1) > 0
            pictures = np.array([picture for picture in hashes if there[picture]], np.int64)
            sides.append((pictures, hash_words([hashes[picture] for picture in pictures.tolist()])))
        first, last = sides[0], sides[-1]
        pairs = near_pairs(first[1], last[1] if self.owners == 2 else None, distance=distance)
        scene, box = self._windows()
        for one, other in pairs:
            p, q = first[0][one], last[0][other]
            touching = (box[p, :, 0] < box[q, :, 1]) & (box[q, :, 0] < box[p, :, 1])
            same_scene = (scene[p] >= 0) & (scene[p] == scene[q])
            kept = ~(same_scene & touching.all(axis=1))  # of two data sets p may be q; that changes nothing
            yield p[kept], q[kept]

    def _windows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return what tells overlapping windows, for pictures that a single window shows.

        Returns:
            A number for split and scene, (pictures,), -1 for other pictures, and the edges, (pictures, 2, 2).
        """
        scene = np.full(len(self.counts), -1, np.int64)
        box = np.zeros((len(self.counts), 2, 2), np.int64)
        scenes: dict[tuple[int, str], int] = {}
        alone = self.counts.sum(axis=1) == 1
        for picture, part, sample in zip(self.picture.tolist(), self.part.tolist(), self.samples, strict=True):
            window = _WINDOW.fullmatch(sample.id)
            if window is None or not alone[picture]:
                continue
            edges = np.array([int(edge) for edge in window.groups()[1:]]).reshape(2, 2)
            if tuple(edges[:, 1] - edges[:, 0]) == (sample.height, sample.width):
                scene[picture] = scenes.setdefault((part, window[1]), len(scenes))
                box[picture] = edges
        return scene, box


class Links:
    """Things that are linked, directly or through others, have one root."""

    def __init__(self, size: int) -> None:
        self._parent = np.arange(size)

    def join(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
        """Link ``one[i]`` to ``other[i]``, for all i."""
        while True:
            roots = self.roots()
            low, high = np.minimum(roots[one], roots[other]), np.maximum(roots[one], roots[other])
            if (low == high).all():
                return
            np.minimum.at(self._parent, high, low)

    def roots(self) -> NDArray[np.int64]:
        """Return the root of everything, (size,)."""
        while not np.array_equal(shorter := self._parent[self._parent], self._parent):
            self._parent = shorter
        return self._parent


def _labels(manifests: Sequence[Manifest]) -> list[str]:
    """Return a name for each data set, the shortest that tells them apart."""
    names = [manifest.dataset for manifest in manifests]
    if len(set(names)) < len(names):
        names = [f"{manifest.dataset} {manifest.variant}" for manifest in manifests]
    if len(set(names)) < len(names):
        names = [f"{manifest.dataset} {manifest.digest[:8]}" for manifest in manifests]
    if len(set(names)) < len(names):
        names[1] += " again"
    return names
