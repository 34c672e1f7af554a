"""What the two ISPRS data sets share: six classes, label pictures in colours, eroded boundaries."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageFilter

from ovrisisbench.catalog import DatasetCard
from tests.drawn.reference import Truth, coloured, relabelled, windows
from tests.drawn.scenery import Scene, paint
from tests.drawn.writing import tiff

KINDS = {0: "road", 1: "building", 2: "grass", 3: "trees", 4: "car", 5: "clutter"}
BOUNDARY = 6
"""Position of the boundary behind the six classes."""
STRIP = 3
"""Pixels on either side of a border that the eroded labels leave out."""


def tile(name: str, split: str, size: tuple[int, int], *, seed: int) -> Scene:
    """Draw one tile of (height, width) pixels."""
    picture, infrared, labels = paint(KINDS, *size, seed=seed, car=0.05)
    return Scene(name, split, picture, labels, infrared)


def eroded(labels: np.ndarray) -> np.ndarray:
    """Return the class map with a boundary strip around every object."""
    image = Image.fromarray(labels)
    size = 2 * STRIP + 1
    high, low = image.filter(ImageFilter.MaxFilter(size)), image.filter(ImageFilter.MinFilter(size))
    return np.where(np.asarray(high) == np.asarray(low), labels, np.uint8(BOUNDARY))


def blurred(colours: np.ndarray) -> np.ndarray:
    """Return a label picture whose borders are soft; every channel stays within 60 of its colour."""
    soft = np.asarray(Image.fromarray(colours).filter(ImageFilter.BoxBlur(1)), np.int16)
    return np.clip(soft, colours.astype(np.int16) - 60, colours.astype(np.int16) + 60).astype(np.uint8)


def label_picture(scene: Scene, card: DatasetCard, *, boundary: bool = False, soft: bool = False) -> np.ndarray:
    """Return the label of one tile in class colours, (H, W, 3) uint8."""
    colours = coloured(eroded(scene.labels) if boundary else scene.labels, card)
    return blurred(colours) if soft else colours


def cut(scene: Scene, picture: np.ndarray, card: DatasetCard, variant: str) -> Truth:
    """Return the windows of one tile as a variant wants them: sample id -> (picture, label map)."""
    chosen = card.variant(variant)
    labels = eroded(scene.labels) if chosen.mask_set == "eroded" else scene.labels
    return windows(scene.name, picture, relabelled(labels, card, variant), chosen.windows)


def window_counts(scenes: Iterable[Scene], card: DatasetCard, variant: str) -> dict[str, int]:
    """Return the number of windows by split."""
    counts: dict[str, int] = {}
    for scene in scenes:
        counts[scene.split] = counts.get(scene.split, 0) + len(cut(scene, scene.picture, card, variant))
    return counts


def numbered(scene: Scene, picture: np.ndarray, card: DatasetCard, variant: str) -> Truth:
    """Return the windows of one tile under ``row_column`` as the bundle numbers them: ``_0_0``, ``_0_1``, ``_1_0``."""
    found = cut(scene, picture, card, variant)
    corners = {window: [int(part) for part in window.split("_")[-4:]] for window in found}
    rows = sorted({corner[0] for corner in corners.values()})
    columns = sorted({corner[2] for corner in corners.values()})
    return {f"{rows.index(corner[0])}_{columns.index(corner[2])}": found[window] for window, corner in corners.items()}


def heights(scene: Scene) -> bytes:
    """The bytes of the tile's surface model: a TIFF of metres."""
    return tiff(np.where(np.isin(scene.labels, (1, 3)), 38.0, 30.0).astype(np.float32))
