"""Drawn downloads of ISPRS Potsdam: tiles in three band orders with two kinds of labels, and the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from tests.drawn import isprs
from tests.drawn.reference import Truth, counted
from tests.drawn.scenery import Scene
from tests.drawn.writing import RUBBISH, four_band_tiff, png, tiff, write_files, write_zip, zipped

TILES = {
    "2_10": ("train", (600, 560)),
    "6_7": ("train", (540, 620)),
    "2_13": ("test", (600, 560)),
    "7_13": ("test", (560, 600)),
}
"""Tile -> split, (height, width)."""
ARCHIVES = {
    "RGB": "2_Ortho_RGB",
    "IRRG": "3_Ortho_IRRG",
    "RGBIR": "4_Ortho_RGBIR",
    "label": "5_Labels_all",
    "label_noBoundary": "5_Labels_all_noBoundary",
}
"""What a file name ends with -> the archive it comes in."""
ALL_KINDS = tuple(ARCHIVES)


@cache
def scenes() -> tuple[Scene, ...]:
    """Two tiles of train and two of test."""
    return tuple(
        isprs.tile(name, split, size, seed=300 + number) for number, (name, (split, size)) in enumerate(TILES.items())
    )


@cache
def drawn_card() -> DatasetCard:
    """The installed card with the counts of the drawn data."""
    card = load_card("potsdam")
    counts = {variant.name: isprs.window_counts(scenes(), card, variant.name) for variant in card.variants}
    return counted(card, scenes(), counts)


def truth(variant: str = "grid-256") -> Truth:
    """What preparing the tiles gives."""
    card = load_card("potsdam")
    return {
        name: window for scene in scenes() for name, window in isprs.cut(scene, scene.picture, card, variant).items()
    }


def bundle_truth(variant: str = "grid-256") -> Truth:
    """What preparing the bundle gives: the same windows under the bundle's names."""
    card = load_card("potsdam")
    return {
        f"top_potsdam_{scene.name}_{place}": window
        for scene in scenes()
        for place, window in isprs.numbered(scene, scene.picture, card, variant).items()
    }


def draw_publisher_folders(
    root: Path, *, kinds: Sequence[str] = ALL_KINDS, own_folder: bool = True, soft: str = "", heights: bool = True
) -> Path:
    """The archives unpacked, each in a folder of its name.

    Args:
        root: where they are put.
        kinds: which of ``ARCHIVES``.
        own_folder: whether the images' archives hold a folder of their own name, so that it is there twice.
        soft: a tile whose labels have soft borders, off the palette.
        heights: put the surface models beside them.
    """
    for archive, members in _archives(kinds, own_folder=own_folder, soft=soft, heights=heights).items():
        write_files(root / archive, members)
    return root


def draw_publisher_zips(
    root: Path, *, kinds: Sequence[str] = ALL_KINDS, own_folder: bool = True, soft: str = "", heights: bool = True
) -> Path:
    """The archives as downloaded one by one; arguments as above."""
    for archive, members in _archives(kinds, own_folder=own_folder, soft=soft, heights=heights).items():
        write_zip(root / f"{archive}.zip", {**members, **RUBBISH})
    return root


def draw_publisher_nested_zip(root: Path, *, stored: bool = True, kinds: Sequence[str] = ALL_KINDS) -> Path:
    """``Potsdam.zip``, which holds the archives, merely stored or deflated once more."""
    inner = {
        f"Potsdam/{archive}.zip": zipped(members)
        for archive, members in _archives(kinds, own_folder=True, soft="", heights=True).items()
    }
    write_zip(root / "Potsdam.zip", {**inner, **RUBBISH}, stored=stored)
    return root


def draw_bundle(
    root: Path, *, shifted: bool = False, variant: str = "grid-256", values: Sequence[int] = tuple(range(6))
) -> Path:
    """``Potsdam/imgs`` with ``_RGB_`` in the names and ``Potsdam/D2masks`` with ``_label_``.

    Args:
        root: where it is put.
        shifted: a further folder, ``OVS_label``, with ids one higher.
        variant: how the tiles were cut.
        values: what is written for each class.
    """
    card, files = load_card("potsdam"), {}
    for scene in scenes():
        for place, (picture, labels) in isprs.numbered(scene, scene.picture, card, variant).items():
            mask = f"top_potsdam_{scene.name}_label_{place}.png"
            files[f"Potsdam/imgs/top_potsdam_{scene.name}_RGB_{place}.png"] = png(picture)
            files[f"Potsdam/D2masks/{mask}"] = png(np.array(values, np.uint8)[labels])
            if shifted:
                files[f"Potsdam/OVS_label/{mask}"] = png(labels + np.uint8(1))
    return write_files(root, files)


def _archives(kinds: Sequence[str], *, own_folder: bool, soft: str, heights: bool) -> dict[str, dict[str, bytes]]:
    archives = {}
    for kind in kinds:
        # The labels' archives never hold a folder.
        top = f"{ARCHIVES[kind]}/" if own_folder and "label" not in kind else ""
        members = {
            f"{top}top_potsdam_{scene.name}_{kind}.tif": _file(
                scene.name, kind, soft=kind == "label" and soft == scene.name
            )
            for scene in scenes()
        }
        if "label" not in kind:
            members |= {f"{name[:-4]}.tfw": b"0.05\n0.0\n0.0\n-0.05\n366976.0\n5808224.0\n" for name in members}
        archives[ARCHIVES[kind]] = members
    if heights:
        rows = {scene.name: "_".join(f"{int(part):02d}" for part in scene.name.split("_")) for scene in scenes()}
        archives["1_DSM"] = {f"1_DSM/dsm_potsdam_{rows[scene.name]}.tif": isprs.heights(scene) for scene in scenes()}
    return archives


@cache
def _file(name: str, kind: str, *, soft: bool) -> bytes:
    scene = next(scene for scene in scenes() if scene.name == name)
    if kind.startswith("label"):
        boundary = kind == "label_noBoundary"
        return tiff(isprs.label_picture(scene, load_card("potsdam"), boundary=boundary, soft=soft))
    if kind == "RGBIR":
        return four_band_tiff(np.dstack([scene.picture, scene.infrared]))
    if kind == "IRRG":
        return tiff(np.dstack([scene.infrared, scene.picture[..., 0], scene.picture[..., 1]]))
    return tiff(scene.picture)
