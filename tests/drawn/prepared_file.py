"""Prepared files written directly, with any content: for what ``prepare`` would never write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ovrisisbench.catalog import load_card
from ovrisisbench.prepare.storage.hdf5_file import add_source, finish, new_file, store_manifest
from ovrisisbench.prepare.storage.manifest import Manifest, Sample

CREATION = json.dumps({"created": "2026-01-02T03:04:05+00:00"})


def drawn_sample(
    name: str, image: np.ndarray, labels: np.ndarray, *, split: str = "train", scene: str | None = None
) -> Sample:
    """The sample of a whole image, whose arrays are stored as ``name``."""
    values, counts = np.unique(labels, return_counts=True)
    return Sample(
        id=name,
        scene=scene or name,
        split=split,
        source=hashlib.sha256(name.encode()).hexdigest()[:12],
        y0=0,
        y1=image.shape[0],
        x0=0,
        x1=image.shape[1],
        image_sha256=hashlib.sha256(image.tobytes()).hexdigest(),
        label_sha256=hashlib.sha256(labels.tobytes()).hexdigest(),
        perceptual_hash=None,
        histogram=dict(zip(values.tolist(), counts.tolist(), strict=True)),
    )


def drawn_manifest(samples: Iterable[Sample], *, dataset: str = "loveda", **fields: object) -> Manifest:
    """A manifest of any samples; ``fields`` replace what :meth:`Manifest.build` has put in."""
    card = load_card(dataset)
    manifest = Manifest.build(card, card.variant(), samples, layout="publisher")
    return Manifest.model_validate({**manifest.model_dump(), **fields})


def write_prepared(
    path: Path, images: Mapping[str, tuple[np.ndarray, np.ndarray]], *, samples: Iterable[Sample] = (), **fields: object
) -> Path:
    """Write a prepared file of whole images, name -> (pixels, label map)."""
    samples = tuple(samples) or tuple(drawn_sample(name, *arrays) for name, arrays in images.items())
    with new_file(path) as file:
        for sample in samples:
            image, labels = images[sample.id]
            stored_image, stored_labels = add_source(file, sample.source, *labels.shape)
            stored_image[...], stored_labels[...] = image, labels
        store_manifest(file, drawn_manifest(samples, **fields), creation=CREATION)
        finish(file)
    return path


def noise(seed: int, height: int, width: int, classes: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels that no compression makes small."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return image, rng.integers(0, classes, (height, width), np.uint8)
