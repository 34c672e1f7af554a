"""Drawn downloads of iSAID in every layout that people have: the same pixels, arranged differently."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import DatasetCard, load_card
from ovrisisbench.prepare.doctor.verdict import name_digest
from tests.drawn.isaid_scenes import draw_scene
from tests.drawn.writing import png, write_zip

BACKGROUND = 255


@dataclass(frozen=True)
class Scene:
    """One drawn DOTA image with its iSAID mask."""

    name: str
    split: str
    picture: np.ndarray
    mask: np.ndarray


@cache
def scenes() -> tuple[Scene, ...]:
    """Two scenes of train and two of val, all of different size and content."""
    sizes = {"P0001": (300, 420), "P0007": (256, 500), "P0012": (463, 530), "P1999": (410, 256)}
    drawn = []
    for number, (name, (height, width)) in enumerate(sizes.items()):
        picture, mask = draw_scene(number)
        drawn.append(Scene(name, "train" if number < 2 else "val", picture[:height, :width], mask[:height, :width]))
    return tuple(drawn)


def reference_windows(scene: Scene) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Cut one scene by the rule of iSAID-5i, written as plainly as possible: name -> (pixels, label map)."""
    labels = np.full(scene.mask.shape[:2], BACKGROUND, np.uint8)
    for index, label in enumerate(load_card("isaid").classes):
        labels[(scene.mask == np.array(label.colour)).all(axis=2)] = index
    height, width = labels.shape
    kept = {}
    for row in range(0, height, 206):
        for column in range(0, width, 206):
            y0, x0 = min(row, height - 256), min(column, width - 256)
            window = labels[y0 : y0 + 256, x0 : x0 + 256]
            if (window != BACKGROUND).sum() > 6553.6:
                name = f"{scene.name}_{y0}_{y0 + 256}_{x0}_{x0 + 256}"
                kept[name] = (scene.picture[y0 : y0 + 256, x0 : x0 + 256], window)
    return kept


def all_windows() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The windows of all drawn scenes."""
    return {name: window for scene in scenes() for name, window in reference_windows(scene).items()}


def drawn_card() -> DatasetCard:
    """The installed card, with the counts and names of the drawn data as if they were the published ones."""
    card = load_card("isaid")
    names = {
        split: [name for scene in scenes() if scene.split == split for name in reference_windows(scene)]
        for split in ("train", "val")
    }
    splits = tuple(
        split.model_copy(update={"images": 2, "labelled": 2}) if split.name in names else split for split in card.splits
    )
    variant = card.variant().model_copy(
        update={
            "counts": {split: len(found) for split, found in names.items()},
            "name_digests": {split: name_digest(found) for split, found in names.items()},
        }
    )
    # Four scenes that hold as many things as possible have other shares of the classes than the real data set.
    checkup = card.checkup.model_copy(update={"shares": {}})
    return card.model_copy(update={"splits": splits, "variants": (variant,), "checkup": checkup})


def draw_publisher_folders(root: Path) -> Path:
    """``{train,val}/images`` and ``{train,val}/Semantic_masks/images``, unpacked."""
    for scene in scenes():
        split = root / scene.split
        _save(split / "images" / f"{scene.name}.png", scene.picture)
        _save(split / "Semantic_masks" / "images" / f"{scene.name}_instance_color_RGB.png", scene.mask)
        _save(split / "Instance_masks" / "images" / f"{scene.name}_instance_id_RGB.png", instance_mask(scene))
    return root


def draw_publisher_zips(root: Path) -> Path:
    """DOTA's ``part1.zip`` and iSAID's two ``images.zip`` in one folder for each split, with system rubbish inside."""
    for split in ("train", "val"):
        here = [scene for scene in scenes() if scene.split == split]
        pictures = {f"images/{scene.name}.png": png(scene.picture) for scene in here}
        rubbish = {"__MACOSX/images/._P0001.png": b"mac", "images/Thumbs.db": b"windows", "images/.DS_Store": b"mac"}
        write_zip(root / split / "part1.zip", {**pictures, **rubbish})
        masks = {f"images/{scene.name}_instance_color_RGB.png": png(scene.mask) for scene in here}
        write_zip(root / split / "Semantic_masks" / "images.zip", masks)
        instances = {f"images/{scene.name}_instance_id_RGB.png": png(instance_mask(scene)) for scene in here}
        write_zip(root / split / "Instance_masks" / "images.zip", instances)
    write_zip(root / "test" / "part1.zip", {"images/P0006.png": png(scenes()[0].picture)})
    return root


def draw_devkit(root: Path) -> Path:
    """Image and both masks side by side in ``{train,val}/images``; a test image without masks."""
    for scene in scenes():
        folder = root / scene.split / "images"
        _save(folder / f"{scene.name}.png", scene.picture)
        _save(folder / f"{scene.name}_instance_color_RGB.png", scene.mask)
        _save(folder / f"{scene.name}_instance_id_RGB.png", instance_mask(scene))
    _save(root / "test" / "images" / "P0006.png", scenes()[0].picture)
    return root


def draw_bundle(root: Path, *, images: str = "images", suffix: str = "_instance_color_RGB") -> Path:
    """``iSAID_split/{train,val}/{images,D2masks}``: windows already cut."""
    for scene in scenes():
        folder = root / "iSAID_split" / scene.split
        for name, (picture, labels) in reference_windows(scene).items():
            _save(folder / images / f"{name}.png", picture)
            _save(folder / "D2masks" / f"{name}{suffix}.png", labels)
    return root


def draw_unsplit_bundle(root: Path) -> Path:
    """``iSAID/imgs`` and ``iSAID/D2masks``: the same windows, both splits together."""
    for name, (picture, labels) in all_windows().items():
        _save(root / "iSAID" / "imgs" / f"{name}.png", picture)
        _save(root / "iSAID" / "D2masks" / f"{name}.png", labels)
    return root


def instance_mask(scene: Scene) -> np.ndarray:
    """A mask with arbitrary colours for objects."""
    labelled = scene.mask.any(axis=2)
    colours = np.random.default_rng(1).integers(1, 256, scene.mask.shape).astype(np.uint8)
    return np.where(labelled[..., None], colours, 0).astype(np.uint8)


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(pixels))
