"""What a prepared data set holds, counted from its manifest alone; no pixel is read."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from ovrisisbench.catalog.cards import IGNORE_INDEX
from ovrisisbench.prepare.storage.prepared import PreparedDataset, read_creation

__all__ = ["ClassSummary", "DatasetSummary", "SizeSummary", "summarise"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassSummary(_Frozen):
    """One class of the vocabulary."""

    index: int
    """Its value in the label maps."""
    name: str
    pixels: int
    share: float
    """Of the labelled pixels, 0..1; 0 if there are none."""
    images: int
    """Samples with at least one pixel of it."""


class SizeSummary(_Frozen):
    """One size that samples have, in pixels."""

    height: int
    width: int
    images: int


class DatasetSummary(_Frozen):
    """The counts of one prepared file; what the manifest says itself is not repeated."""

    file: str
    size_bytes: int
    creation: dict[str, Any]
    """How and when the file was made; no part of the data."""
    images: int
    scenes: int
    sizes: tuple[SizeSummary, ...]
    """Distinct sizes, the most frequent first."""
    classes: tuple[ClassSummary, ...]
    """In label order."""
    labelled_pixels: int
    """Summed over samples; where windows overlap, pixels count more than once."""
    ignored_share: float
    """Ignored pixels of all pixels, 0..1."""


def summarise(dataset: PreparedDataset) -> DatasetSummary:
    """Count what ``dataset`` holds.

    Raises:
        DataError: the file vanished meanwhile.
    """
    manifest = dataset.manifest
    labelled = sum(manifest.class_pixels)
    having = Counter(label for sample in manifest.samples for label in sample.histogram if label != IGNORE_INDEX)
    sizes = Counter((sample.height, sample.width) for sample in manifest.samples)
    classes = zip(manifest.class_names, manifest.class_pixels, strict=True)
    return DatasetSummary(
        file=str(dataset.path),
        size_bytes=dataset.path.stat().st_size,
        creation=dict(read_creation(dataset.path)),
        images=len(dataset),
        scenes=len({sample.scene for sample in manifest.samples}),
        sizes=tuple(
            SizeSummary(height=height, width=width, images=images)
            for (height, width), images in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        ),
        classes=tuple(
            ClassSummary(index=index, name=name, pixels=pixels, share=pixels / max(labelled, 1), images=having[index])
            for index, (name, pixels) in enumerate(classes)
        ),
        labelled_pixels=labelled,
        ignored_share=manifest.ignored_pixels / max(labelled + manifest.ignored_pixels, 1),
    )
