"""One unit of a download -> stored arrays and samples: the work of one worker process.

A scene is decoded once for its mask and once for its image, never both at the
same time, and is gone through in blocks of rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Variant, WindowRule
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.hdf5_file import add_source
from ovrisisbench.prepare.labels import LabelMap
from ovrisisbench.prepare.layouts import LayoutReader, Pair, Unit
from ovrisisbench.prepare.manifest import Sample
from ovrisisbench.prepare.pictures import Picture, open_picture, picture_size
from ovrisisbench.prepare.windows import Box, enclosing_boxes, window_boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UnitContent", "convert_unit"]

_BLOCK_PIXELS: Final = 2**20
"""Pixels converted at a time; about 16 MiB of working memory."""


class UnitContent(BaseModel):
    """What one unit contributed, beside its pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: tuple[Sample, ...]
    conversions: dict[str, str]
    """Image -> words for what was done to its bands, where anything was."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A window that is kept, with what is known of its labels."""

    box: Box
    label_sha256: str
    histogram: dict[int, int]


def convert_unit(reader: LayoutReader, card: DatasetCard, variant: Variant, unit: Unit, file: h5py.File) -> UnitContent:
    """Convert all pairs of one unit and store their pixels.

    Args:
        reader: of the layout that the unit was found in.
        card: the data set.
        variant: which label map and windows to follow.
        unit: the pairs.
        file: where the arrays of its sources are added.

    Raises:
        DataError: an image or mask that is damaged, of the wrong kind, or does not fit the other.
    """
    samples: list[Sample] = []
    conversions: dict[str, str] = {}
    for pair in unit.pairs:
        _check_sizes(pair)
        rule = None if reader.is_cut else variant.windows
        with open_picture(pair.mask) as mask:
            windows, regions = _store_labels(reader.labels(mask, card, variant), mask, rule, pair, file)
        if not windows:
            continue
        with open_picture(pair.image) as image:
            if image.conversion:
                conversions[pair.source] = image.conversion
            _store_image(image, regions, file)
            samples.extend(_sample(pair, window, image, regions, is_window=rule is not None) for window in windows)
    return UnitContent(samples=tuple(samples), conversions=conversions)


def _check_sizes(pair: Pair) -> None:
    image, mask = picture_size(pair.image), picture_size(pair.mask)
    if image != mask:
        raise DataError(
            f"{pair.image.path} has {image[0]}x{image[1]} pixels (rows x columns), but its mask {pair.mask.path} has "
            f"{mask[0]}x{mask[1]}; one of them was resized or belongs to another image."
        )
    if pair.named_size not in (None, image):
        raise DataError(
            f"{pair.image.path} has {image[0]}x{image[1]} pixels (rows x columns), not what its name says; "
            "it was resized or renamed."
        )


def _store_labels(
    labels: LabelMap, mask: Picture, rule: WindowRule | None, pair: Pair, file: h5py.File
) -> tuple[list[_Window], dict[str, Box]]:
    windows = list(_kept_windows(labels, mask.width, window_boxes(mask.height, mask.width, rule), rule))
    whole = Box(0, mask.height, 0, mask.width)
    regions: dict[str, Box] = {}
    for box in enclosing_boxes(window.box for window in windows):
        name = pair.source if box == whole else f"{pair.source}_{box.suffix}"
        regions[name] = box
        _, stored = add_source(file, name, box.height, box.width)
        for block in _blocks(box):
            rows = block.within(box)
            stored[rows.y0 : rows.y1] = labels.labels(block)
    return windows, regions


def _kept_windows(labels: LabelMap, width: int, boxes: list[Box], rule: WindowRule | None) -> Iterator[_Window]:
    keep_above = -1.0 if rule is None else rule.keep_above
    # Windows of the same rows share one conversion from colours to indices.
    for (y0, y1), same_rows in groupby(boxes, key=lambda box: (box.y0, box.y1)):
        band = list(same_rows)
        histograms = np.zeros((len(band), 256), np.int64)
        digests = [hashlib.sha256() for _ in band]
        for block in _blocks(Box(y0, y1, 0, width)):
            rows = labels.labels(block)
            for index, box in enumerate(band):
                window = np.ascontiguousarray(rows[:, box.x0 : box.x1])
                histograms[index] += np.bincount(window.ravel(), minlength=256)
                digests[index].update(window.data)
        for box, histogram, digest in zip(band, histograms, digests, strict=True):
            pixels = box.height * box.width
            if pixels - int(histogram[IGNORE_INDEX]) > keep_above * pixels:
                counts = {int(value): int(histogram[value]) for value in np.flatnonzero(histogram)}
                yield _Window(box, digest.hexdigest(), counts)


def _store_image(image: Picture, regions: Mapping[str, Box], file: h5py.File) -> None:
    for name, box in regions.items():
        stored = file["images"][name]
        for block in _blocks(box):
            rows = block.within(box)
            stored[rows.y0 : rows.y1] = image.rgb(block)


def _sample(pair: Pair, window: _Window, image: Picture, regions: Mapping[str, Box], *, is_window: bool) -> Sample:
    name, region = next((name, box) for name, box in regions.items() if box.overlaps(window.box))
    digest = hashlib.sha256()
    for block in _blocks(window.box):
        pixels: NDArray[np.uint8] = np.ascontiguousarray(image.rgb(block))
        digest.update(pixels.data)
    inside = window.box.within(region)
    return Sample(
        id=f"{pair.source}_{window.box.suffix}" if is_window else pair.source,
        scene=pair.scene,
        split=pair.split,
        source=name,
        y0=inside.y0,
        y1=inside.y1,
        x0=inside.x0,
        x1=inside.x1,
        image_sha256=digest.hexdigest(),
        label_sha256=window.label_sha256,
        histogram=window.histogram,
    )


def _blocks(box: Box) -> Iterator[Box]:
    rows = max(1, _BLOCK_PIXELS // box.width)
    for y0 in range(box.y0, box.y1, rows):
        yield Box(y0, min(y0 + rows, box.y1), box.x0, box.x1)
