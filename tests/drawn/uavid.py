"""Drawn downloads of UAVid: sequences of frames with coloured masks, and the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn.reference import Truth, coloured, counted, relabelled
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import RUBBISH, png, write_files, write_zip

KINDS = {0: "clutter", 1: "building", 2: "road", 3: "trees", 4: "grass", 5: "car", 6: "parked car", 7: "person"}
SEQUENCES = {"seq1": "train", "seq11": "train", "seq35": "train", "seq16": "val", "seq36": "val", "seq21": "test"}
FRAMES = ("000000", "000100")
WIDE = ("seq11", "seq35", "seq36")
"""Sequences of the wider camera."""
FOLDERS = {"train": "uavid_train", "val": "uavid_val", "test": "uavid_test"}
MIRROR_FOLDERS = {"train": "train/train", "val": "valid/valid", "test": "test/test"}
TOOLKIT_ORDER = (0, 1, 2, 4, 5, 7, 3, 6)
"""What the other id order writes for each class."""


@cache
def _all_scenes() -> tuple[Scene, ...]:
    drawn = []
    for number, (sequence, split) in enumerate(SEQUENCES.items()):
        for count, frame in enumerate(FRAMES):
            width = 342 if sequence in WIDE else 320
            picture, infrared, labels = paint(KINDS, 180, width, seed=500 + 10 * number + count)
            drawn.append(Scene(f"{sequence}_{frame}", split, picture, labels, infrared))
    return tuple(drawn)


def scenes() -> tuple[Scene, ...]:
    """Two frames of each of three sequences of train and two of val."""
    return tuple(scene for scene in _all_scenes() if scene.split != "test")


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("uavid")
    counts = {split: sum(scene.split == split for scene in scenes()) for split in ("train", "val")}
    return counted(card, _all_scenes(), {variant.name: counts for variant in card.variants})


def truth(variant: str = "v1-8-classes") -> Truth:
    """What preparing gives."""
    card = load_card("uavid")
    return {scene.name: (scene.picture, relabelled(scene.labels, card, variant)) for scene in scenes()}


def draw_publisher_folders(root: Path, *, mirror: bool = False, test: bool = True) -> Path:
    """``uavid_{train,val}/seqK/{Images,Labels}/000N00.png``, and ``uavid_test`` without labels.

    Args:
        root: where they are put.
        mirror: ``train/train``, ``valid/valid`` and ``test/test`` instead.
        test: whether the test part is there.
    """
    folders = MIRROR_FOLDERS if mirror else FOLDERS
    return write_files(root, _files(folders if test else {split: folders[split] for split in ("train", "val")}))


def draw_publisher_zips(root: Path) -> Path:
    """The one archive of the release."""
    files = {**_files(FOLDERS), **RUBBISH, "uavid_train/seq1/Images/Thumbs.db": b"windows"}
    write_zip(root / "uavid_v1.5_official_release_image.zip", files)
    return root


def draw_bundle(root: Path, *, colours: bool = False, values: Sequence[int] = tuple(range(8))) -> Path:
    """``uavid/Images`` and ``uavid/Labels``, with these words in the file names as well.

    Args:
        root: where it is put.
        colours: masks in the publisher's colours.
        values: what is written for each class otherwise.
    """
    card, files = load_card("uavid"), {}
    for scene in scenes():
        sequence, frame = scene.name.split("_")
        files[f"uavid/Images/{sequence}_Images_{frame}.png"] = png(scene.picture)
        mask = coloured(scene.labels, card) if colours else np.array(values, np.uint8)[scene.labels]
        files[f"uavid/Labels/{sequence}_Labels_{frame}.png"] = png(mask)
    return write_files(root, files)


def _files(folders: dict[str, str]) -> dict[str, bytes]:
    files = {}
    for scene in _all_scenes():
        if scene.split in folders:
            sequence, frame = scene.name.split("_")
            files[f"{folders[scene.split]}/{sequence}/Images/{frame}.png"] = png(scene.picture)
            if scene.split != "test":
                mask = coloured(scene.labels, load_card("uavid"))
                files[f"{folders[scene.split]}/{sequence}/Labels/{frame}.png"] = png(mask)
    return files
