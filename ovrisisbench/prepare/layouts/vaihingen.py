"""Vaihingen as published: image and label tiles with the same file names in different archives.

``top_mosaic_09cm_areaN.tif`` is a label if a folder or archive in its path
says *ground truth*, *gts* or *labels*, an image otherwise. The archive of the
images may hold the labels of the training tiles once more; where the complete
ones are there, they are used. Eroded labels end in ``_noBoundary``; their
archive has a tile, area9, that belongs to no split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.prepare.download.sources import Entry, Source
from ovrisisbench.prepare.layouts.card_layout import CardLayout, Files, matching_files, pair_files
from ovrisisbench.prepare.layouts.interface import ALL, NotRecognised, Recognised
from ovrisisbench.prepare.layouts.pairing import Key

__all__ = ["VaihingenPublisher"]

_TILE: Final = r"top_mosaic_09cm_(area\d{1,2})"
_COMPLETE: Final = re.compile(r"ground[ _-]?truth", re.IGNORECASE)
_TRUTH: Final = re.compile(r"ground[ _-]?truth|(?<![a-z])(?:labels?|gts?)(?![a-z])", re.IGNORECASE)
_ARCHIVES: Final = {
    "full": "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE.zip",
    "eroded": "ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE.zip",
}


class VaihingenPublisher(CardLayout):
    """The publisher's layout; see the head of this file."""

    def recognise(self, source: Source, card: DatasetCard, variant: Variant) -> Recognised | NotRecognised:
        """Find tiles by name and folder; see :class:`~ovrisisbench.prepare.layouts.interface.LayoutReader`."""
        tiles = matching_files(source, [_TILE])
        images = [item for item in tiles if not _lies_in(item[1], _TRUTH)]
        masks = {
            "full": _complete_first([item for item in tiles if _lies_in(item[1], _TRUTH)]),
            "eroded": matching_files(source, [f"{_TILE}_noBoundary"]),
        }
        wanted = variant.mask_set or "full"
        if not images or not masks[wanted]:
            return NotRecognised(_missing(wanted, len(images), {name: len(found) for name, found in masks.items()}))
        areas = {area for split in card.splits for area in split.ids}
        notes = []
        strangers = sorted({key[1] for key, _ in masks[wanted] if key[1] not in areas})
        if strangers:
            notes.append(f"Tiles that are in no split of the publisher were left out: {', '.join(strangers)}.")
        files = Files(_known(images, areas), _known(masks[wanted], areas))
        return pair_files(files, source, card, variant, card.layout(self.layout), notes=notes)


def _lies_in(entry: Entry, folders: re.Pattern[str]) -> bool:
    return any(folders.search(folder) for folder in entry.folders)


def _complete_first(labels: list[tuple[Key, Entry]]) -> list[tuple[Key, Entry]]:
    """Leave out labels of the participants' folder that the complete archive has as well."""
    complete = {key for key, entry in labels if _lies_in(entry, _COMPLETE)}
    return [(key, entry) for key, entry in labels if key not in complete or _lies_in(entry, _COMPLETE)]


def _known(files: list[tuple[Key, Entry]], areas: set[str]) -> list[tuple[Key, Entry]]:
    return [((ALL, key[1]), entry) for key, entry in files if key[1] in areas]


def _missing(wanted: str, images: int, masks: Mapping[str, int]) -> str:
    if not images and not any(masks.values()):
        return "no tile top_mosaic_09cm_areaN.tif"
    if not images:
        return (
            "label tiles, but no image tiles (ISPRS_semantic_labeling_Vaihingen.zip, folder top); both have the same "
            "file names, so unpack each archive into a folder of its own"
        )
    if not any(masks.values()):
        return (
            f"{images} tile(s), none of them in a folder or archive that says ground truth ({_ARCHIVES[wanted]}); "
            "images and labels have the same file names, so unpack each archive into a folder of its own"
        )
    other = "eroded" if wanted == "full" else "full"
    return f"{masks[other]} {other} label tile(s), but no {wanted} ones, which this variant needs ({_ARCHIVES[wanted]})"
