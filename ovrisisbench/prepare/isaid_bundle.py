"""iSAID as the authors repackaged it: the windows of iSAID-5i, already cut.

``iSAID_split/{train,val}/{imgs,images}`` and ``D2masks`` hold the two
splits, ``iSAID/imgs`` and ``iSAID/D2masks`` both together. Windows are named
``P####_y0_y1_x0_x1``; masks may carry ``_instance_color_RGB`` behind that and
hold 0..14 and 255.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Final

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.labels import IndexLabels, LabelMap
from ovrisisbench.prepare.layouts import Expected, NotRecognised, Pair, Recognised, Unit, scene_of
from ovrisisbench.prepare.pairing import Key, index_unique, pair_up, split_of
from ovrisisbench.prepare.pictures import Picture
from ovrisisbench.prepare.sources import Entry, Source

__all__ = ["ALL", "IsaidBundle"]

ALL: Final = "all"
"""Split of windows whose folder does not tell train from val."""

_NAME = re.compile(r"(P\d{4}_\d+_\d+_\d+_\d+)(_instance_color_RGB)?\.(png|bmp|tif|tiff)")
_IMAGE_FOLDERS = frozenset({"imgs", "images"})
_MASK_FOLDER = "D2masks"
_UNSPLIT_NOTE = (
    "The windows come from iSAID/, which does not tell train from val: held-out images cannot be told apart. "
    "Prepare from iSAID_split/ where there is one."
)


class IsaidBundle:
    """The bundle's layout; see the head of this file."""

    dataset = "isaid"
    layout = "bundle"
    is_cut = True

    def recognise(self, source: Source, card: DatasetCard) -> Recognised | NotRecognised:
        """Find windows by folder and name; see :class:`~ovrisisbench.prepare.layouts.LayoutReader`."""
        images, masks = _windows(source)
        if not images or not masks:
            return NotRecognised(_missing(images, masks))
        notes = []
        if any(key[0] == ALL for key, _ in masks):
            if any(key[0] != ALL for key, _ in masks):
                images = [item for item in images if item[0][0] != ALL]
                masks = [item for item in masks if item[0][0] != ALL]
                notes.append("iSAID/ repeats the windows of iSAID_split/ and was not read.")
            else:
                notes.append(_UNSPLIT_NOTE)
        image_index, _ = index_unique(images, what="image")
        mask_index, _ = index_unique(masks, what="mask")
        paired = pair_up(image_index, mask_index)
        pairs = [
            Pair(name, split, scene_of(name, card), image, mask, _named_size(name))
            for (split, name), image, mask in paired.pairs
        ]
        units = (Unit(scene, tuple(group)) for scene, group in groupby(pairs, key=lambda pair: pair.scene))
        return Recognised(
            units=tuple(units),
            images_without_mask=paired.images_without_mask,
            masks_without_image=paired.masks_without_image,
            notes=tuple(notes),
        )

    def expected(self, card: DatasetCard, variant: Variant, found: Recognised) -> Mapping[str, Expected]:  # noqa: ARG002 - the protocol's signature
        """Return the windows by split, or their sum for the folder that does not tell."""
        counts = {ALL: variant.total} if ALL in found.counts else variant.counts
        return {split: Expected(count, variant.counts_evidence) for split, count in counts.items() if count is not None}

    def labels(self, mask: Picture, card: DatasetCard, variant: Variant) -> LabelMap:  # noqa: ARG002 - as above
        """Return the label map of a mask that holds indices."""
        classes = len(load_vocabulary(variant.vocabulary).class_names)
        return IndexLabels(mask, classes, hint="they look like iSAID's own ids 1..15, off by one")


def _windows(source: Source) -> tuple[list[tuple[Key, Entry]], list[tuple[Key, Entry]]]:
    images: list[tuple[Key, Entry]] = []
    masks: list[tuple[Key, Entry]] = []
    for entry in source.entries:
        match = _NAME.fullmatch(entry.name)
        folder = entry.folders[-1] if entry.folders else ""
        if match is None or folder not in _IMAGE_FOLDERS | {_MASK_FOLDER}:
            continue
        key = (split_of(entry) or ALL, match[1])
        (masks if folder == _MASK_FOLDER else images).append((key, entry))
    return images, masks


def _missing(images: list[tuple[Key, Entry]], masks: list[tuple[Key, Entry]]) -> str:
    if images:
        return f"{len(images)} window(s) P####_y0_y1_x0_x1 in imgs or images, but no mask in D2masks"
    if masks:
        return f"{len(masks)} mask(s) in D2masks, but no window P####_y0_y1_x0_x1 in imgs or images"
    return "no window P####_y0_y1_x0_x1.png in imgs, images or D2masks"


def _named_size(name: str) -> tuple[int, int]:
    y0, y1, x0, x1 = (int(number) for number in name.split("_")[1:])
    if y1 <= y0 or x1 <= x0:
        raise DataError(f"The window name {name} is impossible: rows and columns must rise; rename or remove it.")
    return y1 - y0, x1 - x0
