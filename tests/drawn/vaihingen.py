"""Drawn downloads of ISPRS Vaihingen: false-colour tiles, labels of the same file name, and the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn import isprs
from tests.drawn.reference import Truth, counted
from tests.drawn.scenery import Scene
from tests.drawn.writing import RUBBISH, png, tiff, write_files, write_zip, zipped

TILES = {
    "area1": ("train", (540, 300)),
    "area11": ("train", (300, 600)),
    "area2": ("test", (530, 520)),
    "area38": ("test", (280, 330)),
}
"""Tile -> split, (height, width)."""
STRANGER = "area9"
"""A tile of the eroded archive that is in no split."""
IMAGES = "ISPRS_semantic_labeling_Vaihingen"
LABELS = f"{IMAGES}_ground_truth_COMPLETE"
ERODED = f"{IMAGES}_ground_truth_eroded_COMPLETE"
ALL_ARCHIVES = (IMAGES, LABELS, ERODED)


@cache
def _all_scenes() -> tuple[Scene, ...]:
    tiles = {**TILES, STRANGER: ("none", (300, 310))}
    return tuple(
        isprs.tile(name, split, size, seed=400 + number) for number, (name, (split, size)) in enumerate(tiles.items())
    )


def scenes() -> tuple[Scene, ...]:
    """Two tiles of train and two of test."""
    return tuple(scene for scene in _all_scenes() if scene.name != STRANGER)


def false_colour(scene: Scene) -> np.ndarray:
    """Near infrared, red, green: what the publisher's pictures show."""
    return np.dstack([scene.infrared, scene.picture[..., 0], scene.picture[..., 1]])


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("vaihingen")
    counts = {variant.name: isprs.window_counts(scenes(), card, variant.name) for variant in card.variants}
    return counted(card, scenes(), counts)


def truth(variant: str = "grid-256") -> Truth:
    """What preparing the tiles gives."""
    card = load_card("vaihingen")
    found: Truth = {}
    for scene in scenes():
        found |= isprs.cut(scene, false_colour(scene), card, variant)
    return found


def bundle_truth(variant: str = "grid-256") -> Truth:
    """What preparing the bundle gives: the same windows under the bundle's names."""
    card = load_card("vaihingen")
    return {
        f"top_mosaic_09cm_{scene.name}_{place}": window
        for scene in scenes()
        for place, window in isprs.numbered(scene, false_colour(scene), card, variant).items()
    }


def draw_publisher_folders(root: Path, *, archives: Sequence[str] = ALL_ARCHIVES) -> Path:
    """Every archive unpacked into a folder of its name."""
    for archive, members in _archives(archives).items():
        write_files(root / archive, members)
    return root


def draw_publisher_zips(root: Path, *, archives: Sequence[str] = ALL_ARCHIVES) -> Path:
    """The archives as downloaded."""
    for archive, members in _archives(archives).items():
        write_zip(root / f"{archive}.zip", {**members, **RUBBISH})
    return root


def draw_publisher_nested_zip(root: Path, *, stored: bool = True) -> Path:
    """``Vaihingen.zip``, which holds the archives, merely stored or deflated once more."""
    inner = {f"Vaihingen/{archive}.zip": zipped(members) for archive, members in _archives(ALL_ARCHIVES).items()}
    write_zip(root / "Vaihingen.zip", inner, stored=stored)
    return root


def draw_bundle(
    root: Path,
    *,
    shifted: bool = False,
    orphans: bool = True,
    variant: str = "grid-256",
    values: Sequence[int] = tuple(range(6)),
) -> Path:
    """``Vaihingen/imgs`` and ``Vaihingen/D2masks``.

    Args:
        root: where it is put.
        shifted: a further folder, ``OVS_label``, with ids one higher.
        orphans: masks of a tile that has no images.
        variant: how the tiles were cut.
        values: what is written for each class.
    """
    card, files = load_card("vaihingen"), {}
    for scene in _all_scenes() if orphans else scenes():
        for place, (picture, labels) in isprs.numbered(scene, false_colour(scene), card, variant).items():
            name = f"top_mosaic_09cm_{scene.name}_{place}.png"
            if scene.name != STRANGER:
                files[f"Vaihingen/imgs/{name}"] = png(picture)
            files[f"Vaihingen/D2masks/{name}"] = png(np.array(values, np.uint8)[labels])
            if shifted:
                files[f"Vaihingen/OVS_label/{name}"] = png(labels + np.uint8(1))
    return write_files(root, files)


def _archives(wanted: Sequence[str]) -> dict[str, dict[str, bytes]]:
    card = load_card("vaihingen")
    archives: dict[str, dict[str, bytes]] = {IMAGES: {}, LABELS: {}, ERODED: {}}
    for scene in _all_scenes():
        name = f"top_mosaic_09cm_{scene.name}"
        if scene.name != STRANGER:
            archives[IMAGES][f"top/{name}.tif"] = tiff(false_colour(scene))
            archives[IMAGES][f"dsm/dsm_09cm_matching_{scene.name}.tif"] = isprs.heights(scene)
            archives[LABELS][f"{name}.tif"] = tiff(isprs.label_picture(scene, card))
        archives[ERODED][f"{name}_noBoundary.tif"] = tiff(isprs.label_picture(scene, card, boundary=True))
    return {archive: archives[archive] for archive in wanted}
