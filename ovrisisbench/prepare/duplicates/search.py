"""Images that show the same: inside one prepared data set, across its splits, or across two data sets.

Two images are *exact* twins if their decoded pixels are equal, and *near*
twins if they are not, but the hashes of what they show differ in few bits
(see :mod:`~ovrisisbench.prepare.download.perceptual_hash`). Overlapping windows of one
scene in one split are cut from the same pixels on purpose; they count as twins
only if their pixels are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.prepare.download.perceptual_hash import NEAR
from ovrisisbench.prepare.duplicates.near_hashes import hash_words, near_pairs
from ovrisisbench.prepare.duplicates.picture_table import Links, Part, PictureTable, pixels_key
from ovrisisbench.prepare.storage.manifest import Manifest, Sample, natural_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Duplicates", "Group", "Member", "Seen", "Twins", "find_duplicates", "seen_among"]


@dataclass(frozen=True, slots=True)
class Twins:
    """How many images of one part have a twin in another part, or in the same one."""

    dataset: str
    split: str
    images: int
    """In this part."""
    other_dataset: str
    other_split: str
    exact: int
    """Images of this part with a pixel-equal twin in the other."""
    near: int
    """Images of this part whose twins in the other are all near ones."""

    @property
    def total(self) -> int:
        """Images of this part with any twin in the other."""
        return self.exact + self.near

    @property
    def share(self) -> float:
        """The same as a fraction of this part."""
        return self.total / self.images


@dataclass(frozen=True, slots=True)
class Member:
    """One image of a group."""

    dataset: str
    split: str
    id: str
    picture: int
    """Members of a group with the same number have equal pixels; from 0."""


@dataclass(frozen=True, slots=True)
class Group:
    """Images that are linked by twins. Near twins of near twins belong to one group, however far its ends are apart."""

    members: tuple[Member, ...]
    """In natural order of data set, split and id."""

    @property
    def is_exact(self) -> bool:
        """True if all members have equal pixels."""
        return all(member.picture == 0 for member in self.members)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Data sets and splits that it runs through."""
        return tuple(dict.fromkeys((member.dataset, member.split) for member in self.members))


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """All twins inside one data set, or all between two."""

    distance: int
    """Near twins differ in at most so many of 256 bits."""
    images: int
    """That were compared, of both data sets if there are two."""
    flat: int
    """Images that show too little to be compared by more than their pixels."""
    distinct_pixels: int | None
    """Different images by their pixels; None between two data sets."""
    distinct_pictures: int | None
    """Different images if near twins count as one; None between two data sets."""
    twins: tuple[Twins, ...]
    """Pairs of parts with at least one twin, in the order of data sets and splits."""
    groups: tuple[Group, ...]
    """The worst first: those that run through most parts, then the largest."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Which of some images are among others; two masks without common entries."""

    exact: NDArray[np.bool_]
    """(n,) bool: its pixels are."""
    near: NDArray[np.bool_]
    """(n,) bool: a near twin is."""


def find_duplicates(first: Manifest, second: Manifest | None = None, *, distance: int = NEAR) -> Duplicates:
    """Find images that show the same, and say between which splits.

    Every pair is compared, in bounded memory; two data sets of 25,000 images
    take some three seconds.

    Args:
        first: of a prepared data set.
        second: of another one, to find only twins between the two; None for those inside ``first``.
        distance: bits of 256 in which near twins may differ.

    Example:
        >>> from ovrisisbench.prepare import PreparedDataset
        >>> with PreparedDataset("data/dlrsd.h5") as dataset:  # doctest: +SKIP
        ...     find_duplicates(dataset.manifest).distinct_pictures
        2100
    """
    table = PictureTable([first] if second is None else [first, second])
    linked = Links(len(table.counts))
    near = np.zeros(table.counts.shape, bool)
    for one, other in table.near_pictures(distance):
        np.logical_or.at(near, one, table.counts[other] > 0)
        np.logical_or.at(near, other, table.counts[one] > 0)
        linked.join(one, other)
    roots = linked.roots()
    inside = second is None
    return Duplicates(
        distance=distance,
        images=len(table.samples),
        flat=sum(sample.perceptual_hash is None for sample in table.samples),
        distinct_pixels=len(table.counts) if inside else None,
        distinct_pictures=len(np.unique(roots)) if inside else None,
        twins=tuple(_twins(table, near)),
        groups=_groups(table, roots),
    )


def seen_among(images: Sequence[Sample], others: Iterable[Sample], *, distance: int = NEAR) -> Seen:
    """Say which images have a twin among others, whatever data sets and scenes they are of.

    Args:
        images: n samples.
        others: such as those that a model was trained on.
        distance: bits of 256 in which near twins may differ.
    """
    pixels, hashes = set(), set()
    for sample in others:
        pixels.add(pixels_key(sample))
        hashes.add(sample.perceptual_hash)
    known = sorted(value for value in hashes if value is not None)
    exact = np.array([pixels_key(sample) in pixels for sample in images], bool)
    asked = [index for index, sample in enumerate(images) if sample.perceptual_hash and not exact[index]]
    near = np.zeros(len(images), bool)
    if asked and known:
        words = hash_words([images[index].perceptual_hash or "" for index in asked])
        for found, _ in near_pairs(words, hash_words(known), distance=distance):
            near[np.asarray(asked)[found]] = True
    return Seen(exact, near)


def _twins(table: PictureTable, near: NDArray[np.bool_]) -> Iterator[Twins]:
    for here, (dataset, split) in enumerate(table.parts):
        pictures = table.picture[table.part == here]
        for there, (other_dataset, other_split) in enumerate(table.parts):
            if table.owners == 2 and table.owner_of_part[here] == table.owner_of_part[there]:
                continue
            exact = table.counts[pictures, there] > (here == there)  # an image is no twin of itself
            nearly = near[pictures, there] & ~exact
            if exact.any() or nearly.any():
                found = int(exact.sum()), int(nearly.sum())
                yield Twins(dataset, split, len(pictures), other_dataset, other_split, *found)


def _groups(table: PictureTable, roots: NDArray[np.int64]) -> tuple[Group, ...]:
    found: dict[int, list[int]] = {}
    for index, root in enumerate(roots[table.picture].tolist()):
        found.setdefault(root, []).append(index)
    owner = table.owner_of_part[table.part]
    groups = [
        _group(table, indices)
        for indices in found.values()
        if len(indices) > 1 and len(set(owner[indices].tolist())) == table.owners
    ]

    def order(group: Group) -> tuple[int, int, list[object]]:
        return -len(group.parts), -len(group.members), [natural_key(member.id) for member in group.members]

    return tuple(sorted(groups, key=order))


def _group(table: PictureTable, indices: Iterable[int]) -> Group:
    numbers: dict[int, int] = {}
    members = []
    for index in sorted(indices, key=lambda index: (table.part[index], natural_key(table.samples[index].id))):
        dataset, split = table.parts[table.part[index]]
        number = numbers.setdefault(int(table.picture[index]), len(numbers))
        members.append(Member(dataset, split, table.samples[index].id, number))
    return Group(tuple(members))
