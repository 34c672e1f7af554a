"""What a reader of one download layout is, and what it finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.catalog.evidence import Evidence
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.prepare.download.pictures import Picture
from ovrisisbench.prepare.download.sources import Entry, Source
from ovrisisbench.prepare.layouts.labels import LabelMap

__all__ = ["ALL", "Expected", "LayoutReader", "NotRecognised", "Pair", "Recognised", "Unit", "make_units", "scene_of"]

ALL: Final = "all"
"""Split of images whose path does not tell one."""
_UNIT_BYTES: Final = 2**22
"""Small scenes are converted together until their image files have this size: a part file has a price."""
_UNIT_PAIRS: Final = 64
"""Or until they are so many, so that an interruption costs little."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One image and its mask."""

    source: str
    """Unique in the data set; the stem of sample ids."""
    split: str
    scene: str
    image: Entry
    mask: Entry
    named_size: tuple[int, int] | None = None
    """(height, width) in pixels that the file name promises, if it does."""
    extra_bands: int = 0
    """Bands behind the first three that the image file is known to have and that are not used."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The pairs that one worker converts in one go: all of one scene, or of several small ones."""

    name: str
    """Letters, digits, ``_``, ``-`` and ``.``: it becomes a file name."""
    pairs: tuple[Pair, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", self.name):
            raise ValueError(f"unit name '{self.name}' cannot be a file name")

    @property
    def identity(self) -> str:
        """Digest of the files to be read; another digest means other files."""
        return content_digest(
            [
                [pair.source, pair.split, pair.scene, pair.extra_bands, *pair.image.identity, *pair.mask.identity]
                for pair in self.pairs
            ]
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """How many images of a split a complete download holds."""

    images: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A download whose layout a reader knows."""

    units: tuple[Unit, ...]
    images_without_mask: tuple[str, ...] = ()
    """``split/name`` each."""
    masks_without_image: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What was seen and left out."""

    @property
    def counts(self) -> dict[str, int]:
        """Pairs by split."""
        return dict(sorted(Counter(pair.split for pair in self.pairs).items()))

    @property
    def pairs(self) -> list[Pair]:
        """All pairs, in order."""
        return [pair for unit in self.units for pair in unit.pairs]


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """A download that is of another layout."""

    missing: str
    """What was not there, as the end of the sentence "layout X: ..."."""


class LayoutReader(Protocol):
    """One layout of one data set. Readers hold no state: worker processes make their own.

    Made with the key of the data set and the name of the layout.
    """

    @property
    def dataset(self) -> str:
        """Key of the card."""
        ...

    @property
    def layout(self) -> str:
        """Name of the layout on the card."""
        ...

    def recognise(self, source: Source, card: DatasetCard, variant: Variant) -> Recognised | NotRecognised:
        """Look at names only, and pair images with masks by an explicit rule.

        Raises:
            DataError: the layout is clearly this one, but something in it is contradictory.
        """
        ...

    def expected(self, card: DatasetCard, variant: Variant, found: Recognised) -> Mapping[str, Expected]:
        """Return the pairs by split of a complete download, where the card knows them."""
        ...

    def labels(self, mask: Picture, card: DatasetCard, variant: Variant) -> LabelMap:
        """Return the label map of one mask.

        Raises:
            StrangeLabelsError: the mask is of a kind that this layout does not have.
        """
        ...


def make_units(pairs: Iterable[Pair]) -> tuple[Unit, ...]:
    """Group pairs, which lie in order, into units of whole scenes."""
    units: list[Unit] = []
    waiting: list[Pair] = []
    size = 0
    for _, group in groupby(pairs, key=lambda pair: pair.scene):
        scene = list(group)
        waiting.extend(scene)
        size += sum(pair.image.size for pair in scene)
        if size >= _UNIT_BYTES or len(waiting) >= _UNIT_PAIRS:
            units.append(_unit(waiting))
            waiting, size = [], 0
    return (*units, _unit(waiting)) if waiting else tuple(units)


def _unit(pairs: list[Pair]) -> Unit:
    # A digest, because names may hold anything and may differ in nothing but upper and lower case.
    return Unit(f"scene-{content_digest([[pair.split, pair.source] for pair in pairs])[:16]}", tuple(pairs))


def scene_of(name: str, card: DatasetCard) -> str:
    """Return the scene that an image name belongs to, by the card's pattern; the name itself where none fits."""
    match = re.search(card.scene_pattern, name)
    return match.group(1) if match else name
