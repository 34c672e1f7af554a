"""One unit of a download -> stored arrays and samples: the work of one worker process.

A scene is decoded once for its mask and once for its image, never both at the
same time, and is gone through in blocks of rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Variant, WindowRule
from ovrisisbench.prepare.conversion.class_colours import GRID, ClassColours, ColourSum
from ovrisisbench.prepare.download.pictures import Picture, UnusableFileError, open_picture, picture_size
from ovrisisbench.prepare.layouts.interface import LayoutReader, Pair, Unit
from ovrisisbench.prepare.layouts.labels import LabelMap
from ovrisisbench.prepare.storage.hdf5_file import IMAGES, add_source, remove_sources
from ovrisisbench.prepare.storage.manifest import Sample
from ovrisisbench.prepare.windows import Box, around, enclosing_boxes, row_blocks, window_boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UnitContent", "convert_unit"]


class UnitContent(BaseModel):
    """What one unit contributed, beside its pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: tuple[Sample, ...]
    conversions: dict[str, str]
    """Image -> words for what was done to its bands or its mask, where anything was."""
    unusable: tuple[str, ...] = ()
    """One sentence for each pair that was left out because a file is damaged or does not fit the other."""
    sizes: tuple[tuple[int, int, int], ...] = ()
    """(height, width, how many images) of the files, pixels."""
    colours: dict[int, ColourSum] = Field(default_factory=dict)
    """By label, over a grid of pixels; see :mod:`~ovrisisbench.prepare.conversion.class_colours`."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A window that is kept, with what is known of its labels."""

    box: Box
    label_sha256: str
    histogram: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Region:
    """A rectangle of a scene that is stored."""

    name: str
    """Of its arrays in the file."""
    box: Box
    grid: list[NDArray[np.uint8]]
    """Labels on the grid, a block of rows each."""


def convert_unit(
    reader: LayoutReader, card: DatasetCard, variant: Variant, unit: Unit, file: h5py.File | None
) -> UnitContent:
    """Convert all pairs of one unit and store their pixels.

    Args:
        reader: of the layout that the unit was found in.
        card: the data set.
        variant: which label map and windows to follow.
        unit: the pairs.
        file: where the arrays of its sources are added; None to look at everything and store nothing.

    Raises:
        DataError: an image or mask of the wrong kind.
    """
    samples: list[Sample] = []
    conversions: dict[str, str] = {}
    unusable: list[str] = []
    sizes: Counter[tuple[int, int]] = Counter()
    conversion = _Conversion(reader, card, variant, file, ClassColours())
    for pair in unit.pairs:
        try:
            sizes[_checked_size(pair)] += 1
            found, remarks = conversion.convert(pair)
        except UnusableFileError as error:
            unusable.append(str(error).rstrip("."))
            continue
        samples.extend(found)
        if remarks:
            conversions[pair.source] = remarks
    return UnitContent(
        samples=tuple(samples),
        conversions=conversions,
        unusable=tuple(unusable),
        sizes=tuple((height, width, count) for (height, width), count in sorted(sizes.items())),
        colours=conversion.colours.sums(),
    )


def _checked_size(pair: Pair) -> tuple[int, int]:
    image, mask = picture_size(pair.image), picture_size(pair.mask)
    if image != mask:
        raise UnusableFileError(
            f"{pair.image.path} has {image[0]}x{image[1]} pixels (rows x columns), but its mask {pair.mask.path} has "
            f"{mask[0]}x{mask[1]}; one of them was resized, cropped alone, or belongs to another image."
        )
    if pair.named_size not in (None, image):
        raise UnusableFileError(
            f"{pair.image.path} has {image[0]}x{image[1]} pixels (rows x columns), not what its name says; "
            "it was resized or renamed."
        )
    return image


@dataclass(frozen=True, slots=True)
class _Conversion:
    """What the pairs of one unit are converted by, and where to."""

    reader: LayoutReader
    card: DatasetCard
    variant: Variant
    file: h5py.File | None
    colours: ClassColours

    def convert(self, pair: Pair) -> tuple[list[Sample], str]:
        """Return the samples of one pair, and words for what was done to its pixels."""
        try:
            return self._converted(pair)
        except UnusableFileError:
            if self.file is not None:
                remove_sources(self.file, pair.source)
            raise

    def _converted(self, pair: Pair) -> tuple[list[Sample], str]:
        is_cut = self.card.layout(self.reader.layout).is_cut
        rule = None if is_cut else self.variant.windows
        with open_picture(pair.mask) as mask:
            labels = self.reader.labels(mask, self.card, self.variant)
            boxes = window_boxes(mask.height, mask.width, rule)
            windows = list(_kept_windows(labels, mask.width, boxes, rule))
            kept = [window.box for window in windows]
            # All windows kept, as in every tiling without a threshold: one array, although they may only touch.
            enclosing = [around(kept)] if kept and len(kept) == len(boxes) else enclosing_boxes(kept)
            whole = Box(0, mask.height, 0, mask.width)
            regions = [self._store_labels(box, whole, labels, pair) for box in enclosing]
            remark = labels.remark
        if not windows:
            return [], remark
        with open_picture(pair.image, extra_bands=pair.extra_bands) as image:
            for region in regions:
                self._store_image(image, region)
            samples = [_sample(pair, window, image, regions, is_window=rule is not None) for window in windows]
            return samples, "; ".join(words for words in (image.conversion, remark) if words)

    def _store_labels(self, box: Box, whole: Box, labels: LabelMap, pair: Pair) -> _Region:
        name = pair.source if box == whole else f"{pair.source}_{box.suffix}"
        stored = None if self.file is None else add_source(self.file, name, box.height, box.width)[1]
        grid = []
        for block in row_blocks(box):
            values = labels.labels(block)
            rows = block.within(box)
            if stored is not None:
                stored[rows.y0 : rows.y1] = values
            grid.append(values[-rows.y0 % GRID :: GRID, ::GRID].copy())
        return _Region(name, box, grid)

    def _store_image(self, image: Picture, region: _Region) -> None:
        stored = None if self.file is None else self.file[IMAGES][region.name]
        for block, labels in zip(row_blocks(region.box), region.grid, strict=True):
            pixels = image.rgb(block)
            rows = block.within(region.box)
            if stored is not None:
                stored[rows.y0 : rows.y1] = pixels
            self.colours.add(labels, pixels[-rows.y0 % GRID :: GRID, ::GRID])


def _kept_windows(labels: LabelMap, width: int, boxes: list[Box], rule: WindowRule | None) -> Iterator[_Window]:
    keep_above = -1.0 if rule is None else rule.keep_above
    # Windows of the same rows share one conversion from colours to indices.
    for (y0, y1), same_rows in groupby(boxes, key=lambda box: (box.y0, box.y1)):
        band = list(same_rows)
        histograms = np.zeros((len(band), 256), np.int64)
        digests = [hashlib.sha256() for _ in band]
        for block in row_blocks(Box(y0, y1, 0, width)):
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


def _sample(pair: Pair, window: _Window, image: Picture, regions: list[_Region], *, is_window: bool) -> Sample:
    region = next(region for region in regions if region.box.overlaps(window.box))
    digest = hashlib.sha256()
    for block in row_blocks(window.box):
        pixels: NDArray[np.uint8] = np.ascontiguousarray(image.rgb(block))
        digest.update(pixels.data)
    inside = window.box.within(region.box)
    return Sample(
        id=f"{pair.source}_{window.box.suffix}" if is_window else pair.source,
        scene=pair.scene,
        split=pair.split,
        source=region.name,
        y0=inside.y0,
        y1=inside.y1,
        x0=inside.x0,
        x1=inside.x1,
        image_sha256=digest.hexdigest(),
        label_sha256=window.label_sha256,
        perceptual_hash=image.perceptual_hash(window.box),
        histogram=window.histogram,
    )
