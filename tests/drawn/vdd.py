"""Drawn downloads of VDD: three splits of drone pictures, and the bundle that merges them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn.reference import Truth, counted, relabelled
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import RUBBISH, decoded, jpeg, png, write_files, write_zip

KINDS = {0: "clutter", 1: "wall", 2: "road", 3: "trees", 4: "car", 5: "building", 6: "water"}
PICTURES = {
    "DJI_10507": "train", "DJI_10511": "train", "DJI_00023": "train", "DJI_20240": "val", "DJI_00412": "val",
    "DJI_30101": "test",
}  # fmt: skip


@cache
def scenes() -> tuple[Scene, ...]:
    """Three pictures of train, two of val, one of test."""
    drawn = []
    for number, (name, split) in enumerate(PICTURES.items()):
        picture, infrared, labels = paint(KINDS, 240, 320, seed=700 + number)
        drawn.append(Scene(name, split, picture, labels, infrared))
    return tuple(drawn)


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("vdd")
    splits = [scene.split for scene in scenes()]
    return counted(card, scenes(), {variant.name: {"all": len(splits)} for variant in card.variants})


def truth(variant: str = "whole") -> Truth:
    """What preparing gives."""
    card = load_card("vdd")
    return {scene.name: (decoded(jpeg(scene.picture)), relabelled(scene.labels, card, variant)) for scene in scenes()}


def draw_publisher_folders(root: Path, *, top: str = "VDD") -> Path:
    """``VDD/{train,val,test}/{src,gt}``; ``top`` may be ``VDD/VDD``."""
    return write_files(root, _files(top))


def draw_publisher_zips(root: Path) -> Path:
    """The repository as one archive."""
    write_zip(root / "VDD.zip", {**_files("VDD"), **RUBBISH, "__MACOSX/VDD/train/src/._DJI_10507.JPG": b"mac"})
    return root


def draw_bundle(root: Path, *, values: Sequence[int] = tuple(range(7))) -> Path:
    """``VDD/src`` and ``VDD/gt``: all splits together.

    Args:
        root: where it is put.
        values: what is written for each class.
    """
    files = {}
    for scene in scenes():
        files |= _pair("VDD", scene, np.array(values, np.uint8)[scene.labels])
    return write_files(root, files)


def _files(top: str) -> dict[str, bytes]:
    files = {}
    for scene in scenes():
        files |= _pair(f"{top}/{scene.split}", scene, scene.labels)
    return files


def _pair(folder: str, scene: Scene, labels: np.ndarray) -> dict[str, bytes]:
    return {f"{folder}/src/{scene.name}.JPG": jpeg(scene.picture), f"{folder}/gt/{scene.name}.png": png(labels)}
