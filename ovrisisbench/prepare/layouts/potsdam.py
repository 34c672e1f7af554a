"""Potsdam as published: orthophotos in three band orders and labels in two sets, folders or zips of tiles.

``top_potsdam_R_C_RGB.tif`` is what the benchmark tests. Without it, the first
three bands of ``_RGBIR`` are read, which are red, green and blue as well;
``_IRRG`` has no blue band and is never read. Labels are ``_label`` (full) or
``_label_noBoundary`` (object boundaries eroded), as the variant says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.prepare.download.sources import Source
from ovrisisbench.prepare.layouts.card_layout import CardLayout, Files, matching_files, pair_files
from ovrisisbench.prepare.layouts.interface import NotRecognised, Recognised

__all__ = ["PotsdamPublisher"]

_TILE: Final = r"top_potsdam_0?(\d{1,2})_0?(\d{1,2})"
"""Row and column; the publisher's heights have them with a leading zero, so that other files might."""
_MASKS: Final = {"full": rf"{_TILE}_label", "eroded": rf"{_TILE}_label_noBoundary"}
_ARCHIVES: Final = {"full": "5_Labels_all.zip", "eroded": "5_Labels_all_noBoundary.zip"}


class PotsdamPublisher(CardLayout):
    """The publisher's layout; see the head of this file."""

    def recognise(self, source: Source, card: DatasetCard, variant: Variant) -> Recognised | NotRecognised:
        """Find tiles by name; see :class:`~ovrisisbench.prepare.layouts.interface.LayoutReader`."""
        images = {bands: matching_files(source, [f"{_TILE}_{bands}"]) for bands in ("RGB", "RGBIR", "IRRG")}
        masks = {name: matching_files(source, [pattern]) for name, pattern in _MASKS.items()}
        wanted = variant.mask_set or "full"
        bands = "RGB" if images["RGB"] else "RGBIR"
        if not images[bands]:
            if images["IRRG"]:
                count = len(images["IRRG"])
                return NotRecognised(f"{count} infrared tile(s) _IRRG, but no tile _RGB (2_Ortho_RGB.zip)")
            return NotRecognised("no tile top_potsdam_R_C_RGB.tif (2_Ortho_RGB.zip)")
        if not masks[wanted]:
            return NotRecognised(_without_masks(wanted, {name: len(files) for name, files in masks.items()}))
        notes = []
        if bands == "RGBIR":
            notes.append("There are no RGB tiles; the first three bands of the RGBIR tiles were read.")
        unused = {name: len(files) for name, files in images.items() if files and name != bands}
        unused |= {f"labels ({name})": len(files) for name, files in masks.items() if files and name != wanted}
        if unused:
            listed = ", ".join(f"{count} {name}" for name, count in unused.items())
            notes.append(f"Tiles that this variant does not use were not read: {listed}.")
        files = Files(images[bands], masks[wanted])
        layout = card.layout(self.layout)
        return pair_files(files, source, card, variant, layout, extra_bands=int(bands == "RGBIR"), notes=notes)


def _without_masks(wanted: str, found: Mapping[str, int]) -> str:
    other = "eroded" if wanted == "full" else "full"
    here = f"{found[other]} {other} label tile(s), but " if found[other] else ""
    return f"{here}no {wanted} ones, which this variant is made from ({_ARCHIVES[wanted]})"
