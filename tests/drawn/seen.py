"""Prepared files of chosen pictures, some of them copies of others: for what training has seen of a test set."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from ovrisisbench.catalog import load_card
from ovrisisbench.prepare import Manifest, Sample, prepared_path
from ovrisisbench.prepare.download.perceptual_hash import perceptual_hash
from ovrisisbench.prepare.storage.hdf5_file import add_source, finish, new_file, store_manifest
from tests.drawn.isaid_scenes import draw_scene

SIDE = 96


@cache
def picture(number: int) -> np.ndarray:
    """One of 36 pictures of different places, (96, 96, 3) uint8."""
    scene, place = number % 6, number // 6
    y, x = divmod(place, 3)
    pixels = _scene(scene)
    return np.ascontiguousarray(pixels[60 + y * 240 : 60 + y * 240 + 192 : 2, 20 + x * 220 : 20 + x * 220 + 192 : 2])


@cache
def _scene(number: int) -> np.ndarray:
    return draw_scene(number)[0]


def like(pixels: np.ndarray) -> np.ndarray:
    """The same picture after JPEG compression: other pixels, but it looks the same."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    return np.asarray(Image.open(stream))


def a_sample(name: str, split: str, pixels: np.ndarray, **changes: object) -> Sample:
    """The sample of a whole picture whose labels are all 0."""
    height, width = pixels.shape[:2]
    fields = {
        "id": name,
        "scene": name,
        "split": split,
        "source": name,
        "y0": 0,
        "y1": height,
        "x0": 0,
        "x1": width,
        "image_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "label_sha256": hashlib.sha256(bytes(height * width)).hexdigest(),
        "perceptual_hash": perceptual_hash(Image.fromarray(pixels)),
        "histogram": {0: height * width},
    }
    return Sample(**{**fields, **changes})


def write_seen(
    data: Path,
    dataset: str,
    images: Mapping[str, tuple[str, np.ndarray]],
    *,
    variant: str | None = None,
    partial: bool = False,
) -> Manifest:
    """Write a prepared file into the folder ``data``; ``images`` are name -> (split, pixels)."""
    card = load_card(dataset)
    samples = [a_sample(name, *image) for name, image in images.items()]
    reasons = ["some files are missing"] if partial else []
    manifest = Manifest.build(card, card.variant(variant), samples, layout="bundle", partial_reasons=reasons)
    data.mkdir(parents=True, exist_ok=True)
    with new_file(prepared_path(data, dataset, variant)) as file:
        for name, (_, pixels) in images.items():
            image, labels = add_source(file, name, *pixels.shape[:2])
            image[...], labels[...] = pixels, 0
        store_manifest(file, manifest, creation="{}")
        finish(file)
    return manifest
