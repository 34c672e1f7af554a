"""iSAID as published: DOTA-v1.0 images and iSAID's semantic masks, folders or zips.

The file names decide what a file is, so it does not matter how the archives
were arranged below the split's folder: ``P####.png`` is an image,
``P####_instance_color_RGB.png`` a semantic mask (one colour a class),
``P####_instance_id_RGB.png`` an instance mask (one colour an object, not
used). The development kit's layout, with all three side by side, is read by
the same rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.labels import ColourLabels, LabelMap, colour_table
from ovrisisbench.prepare.layouts import Expected, NotRecognised, Pair, Recognised, Unit, scene_of
from ovrisisbench.prepare.pairing import Key, index_unique, pair_up, split_of
from ovrisisbench.prepare.pictures import Picture
from ovrisisbench.prepare.sources import Entry, Source

__all__ = ["IsaidPublisher"]

_NAME = re.compile(r"(?P<image>P\d{4})(?P<kind>|_instance_color_RGB|_instance_id_RGB)\.(png|bmp|tif|tiff|jpg|jpeg)")
_IMAGE, _SEMANTIC, _INSTANCE = "", "_instance_color_RGB", "_instance_id_RGB"


class IsaidPublisher:
    """The publisher's layout; see the head of this file."""

    dataset = "isaid"
    layout = "publisher"
    is_cut = False

    def recognise(self, source: Source, card: DatasetCard) -> Recognised | NotRecognised:
        """Find images and semantic masks by name; see :class:`~ovrisisbench.prepare.layouts.LayoutReader`."""
        found = _by_kind(source)
        missing = _missing(found)
        if missing:
            return NotRecognised(missing)
        labelled = {split.name for split in card.splits if split.labelled != 0}
        notes = []
        tables: dict[str, dict[Key, Entry]] = {}
        for kind, what in ((_IMAGE, "image"), (_SEMANTIC, "mask")):
            keyed = [((_split(entry), name), entry) for name, entry in found[kind]]
            tables[kind], copies = index_unique([item for item in keyed if item[0][0] in labelled], what=what)
            if copies:
                notes.append(f"{copies} {what}(s) lie both in an archive and unpacked; each was read once.")
            unlabelled = sum(key[0] not in labelled for key, _ in keyed)
            if unlabelled:
                notes.append(f"{unlabelled} {what}(s) of splits without public masks were left out.")
        paired = pair_up(tables[_IMAGE], tables[_SEMANTIC])
        units = (
            Unit(name, (Pair(name, split, scene_of(name, card), image, mask),))
            for (split, name), image, mask in paired.pairs
        )
        return Recognised(
            units=tuple(units),
            images_without_mask=paired.images_without_mask,
            masks_without_image=paired.masks_without_image,
            notes=tuple(notes),
        )

    def expected(self, card: DatasetCard, variant: Variant, found: Recognised) -> Mapping[str, Expected]:  # noqa: ARG002 - the protocol's signature
        """Return the labelled images of the splits that the variant uses."""
        return {
            split.name: Expected(split.labelled, split.evidence)
            for split in card.splits
            if split.name in variant.counts and split.labelled is not None
        }

    def labels(self, mask: Picture, card: DatasetCard, variant: Variant) -> LabelMap:
        """Return the label map of a mask in class colours."""
        return ColourLabels(
            mask, colour_table(card, variant), hint="it looks like the instance mask '_instance_id_RGB'"
        )


def _by_kind(source: Source) -> dict[str, list[tuple[str, Entry]]]:
    found: dict[str, list[tuple[str, Entry]]] = {_IMAGE: [], _SEMANTIC: [], _INSTANCE: []}
    for entry in source.entries:
        match = _NAME.fullmatch(entry.name)
        if match:
            found[match["kind"]].append((match["image"], entry))
    return found


def _missing(found: Mapping[str, list[tuple[str, Entry]]]) -> str:
    images, semantic, instance = (len(found[kind]) for kind in (_IMAGE, _SEMANTIC, _INSTANCE))
    if not images and not semantic and not instance:
        return "no DOTA image P####.png and no mask P####_instance_color_RGB.png"
    if instance and not semantic:
        return (
            f"{images} image(s) and {instance} instance mask(s) _instance_id_RGB, but no semantic mask "
            "P####_instance_color_RGB.png (Semantic_masks/images.zip)"
        )
    if not semantic:
        return f"{images} image(s), but no mask P####_instance_color_RGB.png (Semantic_masks/images.zip of iSAID)"
    if not images:
        return f"{semantic} mask(s), but no image P####.png (part1.zip and so on of DOTA-v1.0)"
    return ""


def _split(entry: Entry) -> str:
    split = split_of(entry)
    if split is None:
        raise DataError(
            f"{entry.path} lies in no folder or archive named train, val or test, so its split is unknown; sort the "
            "archives into one folder for each split."
        )
    return split
