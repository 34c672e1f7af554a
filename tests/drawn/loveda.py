"""Drawn downloads of LoveDA: rural and urban tiles in the publisher's three archives, and the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn.reference import Truth, counted, relabelled
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import RUBBISH, png, write_files, write_zip

RURAL = {0: "clutter", 1: "building", 2: "road", 3: "water", 4: "soil", 5: "trees", 6: "crops"}
URBAN = {0: "pavement", 1: "building", 2: "road", 3: "water", 5: "trees"}
NO_DATA = {7: "no data"}
TILES: dict[int, tuple[str, str, dict[int, str]]] = {
    0: ("train", "Rural", RURAL),
    1: ("train", "Rural", RURAL | NO_DATA),
    1366: ("train", "Urban", URBAN),
    2522: ("val", "Rural", RURAL | NO_DATA),
    3514: ("val", "Urban", URBAN),
    4191: ("test", "Rural", RURAL),
    5200: ("test", "Urban", URBAN),
}
"""Number -> split, folder, looks of the classes."""
SIDE = 256


@cache
def _all_scenes() -> tuple[Scene, ...]:
    drawn = []
    for number, (split, _, kinds) in TILES.items():
        picture, infrared, labels = paint(kinds, SIDE, SIDE, seed=200 + number)
        drawn.append(Scene(str(number), split, picture, labels, infrared))
    return tuple(drawn)


def scenes() -> tuple[Scene, ...]:
    """Three tiles of train and two of val; in two of them pixels are without data."""
    return tuple(scene for scene in _all_scenes() if scene.split != "test")


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("loveda")
    counts = {split: sum(scene.split == split for scene in scenes()) for split in ("train", "val")}
    return counted(card, _all_scenes(), {variant.name: counts for variant in card.variants})


def truth(variant: str = "v1-8-classes") -> Truth:
    """What preparing gives."""
    card = load_card("loveda")
    return {scene.name: (scene.picture, relabelled(scene.labels, card, variant)) for scene in scenes()}


def draw_publisher_folders(root: Path, *, test: bool = True) -> Path:
    """``{Train,Val}/{Rural,Urban}/{images_png,masks_png}/N.png``, and ``Test`` without masks."""
    files = {**_files("train"), **_files("val"), **(_files("test") if test else {})}
    return write_files(root, files)


def draw_publisher_zips(root: Path) -> Path:
    """``Train.zip``, ``Val.zip`` and ``Test.zip``."""
    write_zip(root / "Train.zip", {**_files("train"), **RUBBISH, "__MACOSX/Train/Rural/images_png/._0.png": b"mac"})
    write_zip(root / "Val.zip", _files("val"))
    write_zip(root / "Test.zip", _files("test"))
    return root


def draw_bundle(root: Path, *, extra: bool = False, values: Sequence[int] = (1, 2, 3, 4, 5, 6, 7, 0)) -> Path:
    """``LoveDA/images_png`` and ``LoveDA/masks_png``: train and val together.

    Args:
        root: where it is put.
        extra: a further folder, ``masks_png2``, with the ids of version 2: 0..6, and 255 where there is no data.
        values: what is written for each class and, last, where there is no data.
    """
    files = {}
    for scene in scenes():
        files[f"LoveDA/images_png/{scene.name}.png"] = png(scene.picture)
        files[f"LoveDA/masks_png/{scene.name}.png"] = png(np.array(values, np.uint8)[scene.labels])
        if extra:
            files[f"LoveDA/masks_png2/{scene.name}.png"] = png(np.where(scene.labels == 7, np.uint8(255), scene.labels))
    return write_files(root, files)


def _files(split: str) -> dict[str, bytes]:
    files = {}
    for scene in _all_scenes():
        if scene.split == split:
            folder = f"{split.capitalize()}/{TILES[int(scene.name)][1]}"
            files[f"{folder}/images_png/{scene.name}.png"] = png(scene.picture)
            if split != "test":
                files[f"{folder}/masks_png/{scene.name}.png"] = png((scene.labels + np.uint8(1)) % np.uint8(8))
    return files
