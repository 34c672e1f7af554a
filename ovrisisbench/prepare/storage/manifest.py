"""The manifest of a prepared data set: which images it holds, and the fingerprint of their pixels."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ovrisisbench import __version__
from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Variant
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.catalog.vocabularies import load_vocabulary

__all__ = ["MANIFEST_FORMAT", "Manifest", "Sample", "data_digest", "natural_key", "rules_digest"]

MANIFEST_FORMAT = 2

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_PictureHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sample(_Frozen):
    """One image that is evaluated: a rectangle of a stored source."""

    id: str
    """Unique in the data set; the name that the published lists use where there are any."""
    scene: str
    """Samples of one scene are not independent."""
    split: str
    source: str
    """Name of the two arrays, in ``/images`` and ``/labels``, that hold its pixels."""
    y0: _Count
    """First row in the stored arrays; ``y1`` is exclusive, as is ``x1`` for columns."""
    y1: _Count
    x0: _Count
    x1: _Count
    image_sha256: _Sha256
    """Of the (H, W, 3) uint8 pixels in row order."""
    label_sha256: _Sha256
    """Of the (H, W) uint8 label map in row order."""
    perceptual_hash: _PictureHash | None
    """What the picture shows, to find copies of it; None if it is too flat. See ``perceptual_hash.py``."""
    histogram: dict[Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(gt=0)]]
    """Label value -> pixels, 255 included; values without pixels are left out."""

    @property
    def height(self) -> int:
        """Rows, pixels."""
        return self.y1 - self.y0

    @property
    def width(self) -> int:
        """Columns, pixels."""
        return self.x1 - self.x0

    @model_validator(mode="after")
    def _consistent(self) -> Sample:
        if self.y1 <= self.y0 or self.x1 <= self.x0:
            raise ValueError(f"sample {self.id} is empty")
        if sum(self.histogram.values()) != self.height * self.width:
            raise ValueError(f"the histogram of sample {self.id} does not sum to its {self.height}x{self.width} pixels")
        return self


class Manifest(_Frozen):
    """What a prepared data set holds; equal data give an equal ``digest`` whatever they were read from."""

    format: Literal[2]
    dataset: str
    title: str
    variant: str
    rules_digest: _Sha256
    """Of everything on the card that decides pixels and labels; see :func:`rules_digest`."""
    layout: str
    """Name of the layout that was read, such as ``publisher`` or ``bundle``."""
    class_names: tuple[str, ...]
    """In label order: index = value in the label maps."""
    ignore_index: Literal[255]
    partial: bool
    """True if images are missing; every record made from it is marked partial."""
    partial_reasons: tuple[str, ...]
    verified: bool
    """True if the number of images and their names equal those on the card."""
    notes: tuple[str, ...]
    """What was converted or left out on the way."""
    warnings: tuple[str, ...]
    """What is unusual for this data set, but right as far as can be told."""
    samples: tuple[Sample, ...]
    """In natural order of their ids."""
    counts: dict[str, _Count]
    """Samples by split."""
    class_pixels: tuple[_Count, ...]
    """Pixels of each class, summed over samples (overlapping windows count twice)."""
    ignored_pixels: _Count
    digest: _Sha256
    """Fingerprint of all decoded pixels and label values; see :func:`data_digest`."""
    ovrisisbench_version: str

    @classmethod
    def build(
        cls,
        card: DatasetCard,
        variant: Variant,
        samples: Iterable[Sample],
        *,
        layout: str,
        partial_reasons: Iterable[str] = (),
        verified: bool = False,
        notes: Iterable[str] = (),
        warnings: Iterable[str] = (),
    ) -> Manifest:
        """Make the manifest of ``samples``: sorted, counted and fingerprinted.

        Args:
            card: the data set.
            variant: the reading of it that was followed.
            samples: in any order.
            layout: name of the layout that was read.
            partial_reasons: one sentence for each thing that is missing; none means complete.
            verified: whether counts and names equal the card's.
            notes: one sentence for each conversion worth knowing.
            warnings: one sentence for each thing that is unusual.
        """
        ordered = tuple(sorted(samples, key=lambda sample: natural_key(sample.id)))
        class_names = load_vocabulary(variant.vocabulary).class_names
        pixels = _total_histogram(ordered)
        reasons = tuple(partial_reasons)
        return cls(
            format=MANIFEST_FORMAT,
            dataset=card.key,
            title=card.title,
            variant=variant.name,
            rules_digest=rules_digest(card, variant),
            layout=layout,
            class_names=class_names,
            ignore_index=IGNORE_INDEX,
            partial=bool(reasons),
            partial_reasons=reasons,
            verified=verified,
            notes=tuple(notes),
            warnings=tuple(warnings),
            samples=ordered,
            counts=_counts(ordered),
            class_pixels=tuple(pixels[index] for index in range(len(class_names))),
            ignored_pixels=pixels[IGNORE_INDEX],
            digest=data_digest(ordered),
            ovrisisbench_version=__version__,
        )

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        ids = Counter(sample.id for sample in self.samples)
        doubled = [sample_id for sample_id, times in ids.items() if times > 1]
        if doubled:
            raise ValueError(f"samples: {doubled[0]} is listed more than once")
        pixels = _total_histogram(self.samples)
        strange = sorted(set(pixels) - set(range(len(self.class_names))) - {IGNORE_INDEX})
        if strange:
            raise ValueError(f"samples: label {strange[0]} belongs to none of the {len(self.class_names)} classes")
        recomputed = {
            "counts": _counts(self.samples),
            "class_pixels": tuple(pixels[index] for index in range(len(self.class_names))),
            "ignored_pixels": pixels[IGNORE_INDEX],
            "digest": data_digest(self.samples),
            "partial": bool(self.partial_reasons),
        }
        for name, value in recomputed.items():
            if getattr(self, name) != value:
                raise ValueError(f"{name}: does not follow from the samples")
        return self


def data_digest(samples: Iterable[Sample]) -> str:
    """Return the fingerprint of decoded pixels and label values, 64 hex digits.

    It is the sha256 over one line for each sample, sorted by id: id, height,
    width, digest of the pixels, digest of the label map. Archives, file
    formats, splits and the way sources are stored do not enter.
    """
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: sample.id):
        line = f"{sample.id}\t{sample.height}\t{sample.width}\t{sample.image_sha256}\t{sample.label_sha256}\n"
        digest.update(line.encode())
    return digest.hexdigest()


def rules_digest(card: DatasetCard, variant: Variant) -> str:
    """Return the sha256 of what on the card turns files into samples and labels.

    A prepared file whose digest differs from the installed card's was made by
    other rules and must be prepared again.
    """
    labels = (*card.classes, *card.other_labels)
    return content_digest(
        {
            "dataset": card.key,
            "variant": variant.rules(),
            "labels": [[label.name, label.original_id, list(label.colour)] for label in labels],
            "off_palette": card.off_palette,
            "mask_set": variant.mask_set,
            "class_names": list(load_vocabulary(variant.vocabulary).class_names),
            "scene_pattern": card.scene_pattern,
        }
    )


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that compares runs of digits as numbers.

    Example:
        >>> sorted(["P1_10", "P1_9"], key=natural_key)
        ['P1_9', 'P1_10']
    """
    pieces = re.findall(r"[0-9]+|[^0-9]+", name)
    key = tuple((0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces)
    return (*key, (2, 0, name))


def _counts(samples: Iterable[Sample]) -> dict[str, int]:
    return dict(sorted(Counter(sample.split for sample in samples).items()))


def _total_histogram(samples: Iterable[Sample]) -> Counter[int]:
    total: Counter[int] = Counter()
    for sample in samples:
        total.update(sample.histogram)
    return total
