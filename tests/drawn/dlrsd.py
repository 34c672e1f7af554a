"""Drawn downloads of DLRSD: UC Merced tiles with palette labels, and the bundle that repeats them by label."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn.reference import Truth, counted, relabelled
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import RUBBISH, decoded, jpeg, png, tiff, write_files, write_zip

KINDS = {
    "airplane": "plane", "bare soil": "soil", "buildings": "building", "cars": "car", "chaparral": "chaparral",
    "court": "court", "dock": "dock", "field": "crops", "grass": "grass", "mobile home": "mobile home",
    "pavement": "road", "sand": "sand", "sea": "sea", "ship": "ship", "tanks": "tank", "trees": "trees",
    "water": "water",
}  # fmt: skip
"""Class -> what it looks like, where a tile does not say otherwise."""
TILES: dict[str, tuple[str, ...]] = {
    "agricultural00": ("field",),
    "airplane00": ("airplane", "pavement=pavement", "grass", "buildings", "cars"),
    "airplane07": ("airplane", "pavement=pavement", "bare soil", "buildings"),
    "beach00": ("sea", "sand"),
    "chaparral00": ("chaparral", "sand"),
    "harbor00": ("dock", "ship", "water"),
    "mobilehomepark00": ("mobile home", "pavement", "trees", "cars", "grass"),
    "river00": ("water", "trees", "bare soil", "grass"),
    "storagetanks00": ("tanks", "bare soil", "pavement", "buildings"),
    "tenniscourt00": ("court", "grass", "trees", "pavement", "buildings", "cars"),
}
"""Tile -> its classes."""
ODD_TILE = "river00"
"""Its tile has 257 columns."""


@cache
def scenes() -> tuple[Scene, ...]:
    """Ten tiles of eight scenes, together of all classes; one of them is not square."""
    names = [label.name for label in load_card("dlrsd").classes]
    drawn = []
    for number, (tile, classes) in enumerate(TILES.items()):
        looks = dict(KINDS) | dict(entry.split("=") for entry in classes if "=" in entry)
        kinds = {names.index(name): looks[name] for name in (entry.split("=")[0] for entry in classes)}
        picture, infrared, labels = paint(kinds, 256, 257 if tile == ODD_TILE else 256, seed=100 + number)
        drawn.append(Scene(tile, "all", picture, labels, infrared))
    return tuple(drawn)


@cache
def copies() -> dict[str, tuple[str, Scene]]:
    """The bundle's files: name -> (split, tile). Every tile once for each of its labels; each fifth file is in val."""
    found: list[tuple[str, Scene]] = []
    for position, label in enumerate(load_card("dlrsd").classes):
        word = "".join(part.capitalize() for part in label.name.split())
        with_label = [scene for scene in scenes() if (scene.labels == position).any()]
        found += [(f"{word}{number:02d}", scene) for number, scene in enumerate(with_label)]
    return {name: ("val" if number % 5 == 2 else "train", scene) for number, (name, scene) in enumerate(found)}


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("dlrsd")
    splits = [split for split, _ in copies().values()]
    bundle = {split: splits.count(split) for split in ("train", "val")}
    counts = {
        variant.name: bundle if "train" in variant.counts else {"all": len(scenes())} for variant in card.variants
    }
    return counted(card, scenes(), counts)


def truth(variant: str = "original-2100") -> Truth:
    """What preparing gives: the tiles for ``original-2100``, the bundle's copies for ``bundle-7002``."""
    card = load_card("dlrsd")
    if "train" not in card.variant(variant).counts:
        return {scene.name: (scene.picture, relabelled(scene.labels, card, variant)) for scene in scenes()}
    return {
        name: (decoded(jpeg(scene.picture)), relabelled(scene.labels, card, variant))
        for name, (_, scene) in copies().items()
    }


def draw_publisher_folders(root: Path) -> Path:
    """``UCMerced_LandUse/Images/<scene>/<scene>NN.tif`` and ``DLRSD/Images/<scene>/<scene>NN.png``."""
    return write_files(root, {**_images(), **_masks()})


def draw_publisher_zips(root: Path) -> Path:
    """``UCMerced_LandUse.zip`` and the labels' archive, which holds a readme and a legend besides."""
    write_zip(root / "UCMerced_LandUse.zip", {**_images(), "UCMerced_LandUse/readme.txt": b"21 scenes", **RUBBISH})
    legend = png(np.full((40, 60, 3), 200, np.uint8))
    papers = {"DLRSD/Readme.pdf": b"%PDF-1.4", "DLRSD/legend.png": legend}
    write_zip(root / "DLRSD.zip", {**_masks(), **papers})
    return root


def draw_bundle(
    root: Path, *, split: bool = True, extra: bool = False, values: Sequence[int] = tuple(range(17))
) -> Path:
    """The bundle.

    Args:
        root: where it is put.
        split: ``DLRSD_split/{train,val}``; if false ``DLRSD``, both together.
        extra: a second mask folder, ``masks``, with ids 1..17.
        values: what is written for each class.
    """
    files = {}
    for name, (part, scene) in copies().items():
        folder = f"DLRSD_split/{part}" if split else "DLRSD"
        files[f"{folder}/imgs/{name}.jpg"] = jpeg(scene.picture)
        files[f"{folder}/D2masks/{name}.png"] = png(np.array(values, np.uint8)[scene.labels])
        if extra:
            files[f"{folder}/masks/{name}.png"] = png(scene.labels + np.uint8(1))
    return write_files(root, files)


def palette() -> list[tuple[int, int, int]]:
    """The colours of the publisher's masks, by id."""
    return [(0, 0, 0), *(label.colour for label in load_card("dlrsd").classes)]


def _images() -> dict[str, bytes]:
    return {f"UCMerced_LandUse/Images/{scene.name[:-2]}/{scene.name}.tif": tiff(scene.picture) for scene in scenes()}


def _masks() -> dict[str, bytes]:
    return {
        f"DLRSD/Images/{scene.name[:-2]}/{scene.name}.png": png(scene.labels + np.uint8(1), palette())
        for scene in scenes()
    }
