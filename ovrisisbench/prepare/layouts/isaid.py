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
from ovrisisbench.prepare.download.sources import Entry, Source
from ovrisisbench.prepare.layouts.card_layout import CardLayout, Files, pair_files
from ovrisisbench.prepare.layouts.interface import NotRecognised, Recognised
from ovrisisbench.prepare.layouts.pairing import Key, split_of

__all__ = ["IsaidPublisher"]

_NAME = re.compile(r"(?P<image>P\d{4})(?P<kind>|_instance_color_RGB|_instance_id_RGB)\.(png|bmp|tif|tiff|jpg|jpeg)")
_IMAGE, _SEMANTIC, _INSTANCE = "", "_instance_color_RGB", "_instance_id_RGB"


class IsaidPublisher(CardLayout):
    """The publisher's layout; see the head of this file."""

    def recognise(self, source: Source, card: DatasetCard, variant: Variant) -> Recognised | NotRecognised:
        """Find images and semantic masks by name; see :class:`~ovrisisbench.prepare.layouts.interface.LayoutReader`."""
        found = _by_kind(source)
        missing = _missing(found)
        if missing:
            return NotRecognised(missing)
        files = Files(_keyed(found[_IMAGE]), _keyed(found[_SEMANTIC]))
        return pair_files(files, source, card, variant, card.layout(self.layout))


def _keyed(files: list[tuple[str, Entry]]) -> list[tuple[Key, Entry]]:
    return [((_split(entry), name), entry) for name, entry in files]


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
