"""Drawn downloads of Inria: tiles with and without a public mask, and the windows that version 2 tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn.reference import Truth, counted, relabelled, windows
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import RUBBISH, png, tiff, write_files, write_zip

LOOKS = {0: "grass", 1: "building", 2: "road", 3: "trees", 4: "soil"}
TILES = {"austin1": ("train", 2000), "tyrol-w36": ("train", 1000), "sfo1": ("test", 1000)}
"""Name -> split, side in pixels: the first tile has four windows, each of the others one."""


@cache
def _all_scenes() -> tuple[Scene, ...]:
    drawn = []
    for number, (name, (split, side)) in enumerate(TILES.items()):
        # A tile has to be as large as a window; each pixel is painted once and repeated.
        small = paint(LOOKS, side // 8, side // 8, seed=900 + number)
        picture, infrared, looks = (np.repeat(np.repeat(array, 8, axis=0), 8, axis=1) for array in small)
        drawn.append(Scene(name, split, picture, (looks == 1).astype(np.uint8), infrared))
    return tuple(drawn)


def scenes() -> tuple[Scene, ...]:
    """The two tiles with masks."""
    return tuple(scene for scene in _all_scenes() if scene.split != "test")


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("inria")
    return counted(card, _all_scenes(), {"grid-1000": {"train": 5}, "whole": {"train": 2}, "bundle-675": {"all": 5}})


@cache
def truth(variant: str = "grid-1000") -> Truth:
    """What preparing gives; the bundle names its windows by columns first."""
    card = load_card("inria")
    rule = card.variant(variant).windows
    cut: Truth = {}
    for scene in scenes():
        cut |= windows(scene.name, scene.picture, relabelled(scene.labels, card, variant), rule)
    return {_columns_first(name): window for name, window in cut.items()} if variant == "bundle-675" else cut


def draw_publisher_folders(root: Path) -> Path:
    """``AerialImageDataset/{train,test}/images`` and ``AerialImageDataset/train/gt``."""
    return write_files(root, _files())


def draw_publisher_zips(root: Path) -> Path:
    """``NEW2-AerialImageDataset.zip``."""
    mac = {"__MACOSX/AerialImageDataset/train/images/._austin1.tif": b"mac"}
    write_zip(root / "NEW2-AerialImageDataset.zip", {**_files(), **RUBBISH, **mac})
    return root


def draw_bundle(root: Path, *, building: int = 1) -> Path:
    """``Inria/{img_dir,ann_dir}/split_test`` with the windows as PNG.

    Args:
        root: where it is put.
        building: what is written for a building.
    """
    files = {}
    for name, (picture, labels) in truth("bundle-675").items():
        files[f"Inria/img_dir/split_test/{name}.png"] = png(picture)
        files[f"Inria/ann_dir/split_test/{name}.png"] = png(labels * np.uint8(building))
    return write_files(root, files)


def _files() -> dict[str, bytes]:
    files = {}
    for scene in _all_scenes():
        part = "test" if scene.split == "test" else "train"
        files[f"AerialImageDataset/{part}/images/{scene.name}.tif"] = tiff(scene.picture)
        if part == "train":
            files[f"AerialImageDataset/train/gt/{scene.name}.tif"] = tiff(scene.labels * np.uint8(255))
    return files


def _columns_first(name: str) -> str:
    tile, y0, y1, x0, x1 = name.rsplit("_", 4)
    return f"{tile}_{x0}_{y0}_{x1}_{y1}"
