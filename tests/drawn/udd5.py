"""Drawn downloads of UDD5: one archive with UDD5 and UDD6, whose ids differ, and the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn.reference import Truth, counted, relabelled
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import RUBBISH, decoded, jpeg, png, write_files, write_zip

KINDS = {0: "trees", 1: "building", 2: "road", 3: "car", 4: "clutter"}
PICTURES = {"000001": "train", "000061": "train", "DJI_0300": "train", "000104": "val", "DJI_0402": "val"}
UDD6_ORDER = (3, 5, 2, 4, 0)
"""What UDD6 writes for each class of UDD5; the lower side of a building is facade, 1."""


@cache
def scenes() -> tuple[Scene, ...]:
    """Three pictures of train and two of val."""
    drawn = []
    for number, (name, split) in enumerate(PICTURES.items()):
        picture, infrared, labels = paint(KINDS, 216, 288 if number % 2 else 320, seed=600 + number)
        drawn.append(Scene(name, split, picture, labels, infrared))
    return tuple(drawn)


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("udd5")
    splits = [scene.split for scene in scenes()]
    counts = {split: splits.count(split) for split in ("train", "val")}
    return counted(card, scenes(), {variant.name: counts for variant in card.variants})


def truth(variant: str = "whole") -> Truth:
    """What preparing gives."""
    card = load_card("udd5")
    return {scene.name: (decoded(jpeg(scene.picture)), relabelled(scene.labels, card, variant)) for scene in scenes()}


def udd6_labels(scene: Scene) -> np.ndarray:
    """The class map by the rules of UDD6."""
    labels = np.array(UDD6_ORDER, np.uint8)[scene.labels]
    building = scene.labels == 1
    below = np.zeros_like(building)
    below[:-8] = building[8:]
    labels[building & ~below] = 1
    return labels


def draw_publisher_folders(root: Path, *, top: str = "UDD", udd6: bool = True) -> Path:
    """``UDD/UDD5/{train,val}/{src,gt}`` and ``UDD/UDD6`` beside it.

    Args:
        root: where they are put.
        top: ``UDD``, or ``UDD/UDD`` as some copies unpack.
        udd6: whether UDD6 is there as well.
    """
    return write_files(root, _files(top, udd6=udd6))


def draw_publisher_zips(root: Path) -> Path:
    """The one archive."""
    write_zip(root / "UDD.zip", {**_files("UDD", udd6=True), **RUBBISH, "__MACOSX/UDD/UDD5/train/src/._x.JPG": b"mac"})
    return root


def draw_bundle(root: Path, *, split: bool = False, values: Sequence[int] = tuple(range(5))) -> Path:
    """``UDD5/all/{src,gt}``.

    Args:
        root: where it is put.
        split: ``UDD5/{train,val}/{src,gt}`` instead.
        values: what is written for each class.
    """
    files = {}
    for scene in scenes():
        folder = f"UDD5/{scene.split if split else 'all'}"
        files |= _pair(folder, scene, np.array(values, np.uint8)[scene.labels])
    return write_files(root, files)


def _files(top: str, *, udd6: bool) -> dict[str, bytes]:
    files = {}
    for scene in scenes():
        files |= _pair(f"{top}/UDD5/{scene.split}", scene, scene.labels)
        if udd6:
            files |= _pair(f"{top}/UDD6/{scene.split}", scene, udd6_labels(scene))
    return files


def _pair(folder: str, scene: Scene, labels: np.ndarray) -> dict[str, bytes]:
    return {f"{folder}/src/{scene.name}.JPG": jpeg(scene.picture), f"{folder}/gt/{scene.name}.png": png(labels)}
