"""Records on real class names with per-image counts, so that groups of classes and intervals mean something."""

from typing import Any

import numpy as np

from ovrisisbench.catalog import load_protocol
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.records import CountsTable, Record, write_record
from tests.records.examples import DATASETS, a_record

SCENES = 12


def counts_for(dataset: str, skill: float, *, seed: int = 0, images: int = SCENES) -> CountsTable:
    """Counts in which a share ``skill`` of every class is found and the rest spread over all classes.

    Equal seeds give equal truth. The first class of LoveDA, ``no-data``, has none.
    """
    names = names_of(dataset)
    drawn, total = np.random.default_rng([seed, DATASETS.index(dataset)]), len(names)
    found = []
    for index in range(images):
        truth = drawn.integers(50, 400, total)
        truth[0] = 0 if dataset == "loveda" else truth[0]
        share = np.clip(skill + drawn.normal(0, 0.05), 0, 1)
        confusion = np.outer(truth, np.full(total, (1 - share) / total)).astype(np.int64)
        confusion[np.arange(total), np.arange(total)] += truth - confusion.sum(axis=1)
        found.append(ImageCounts.from_confusion(f"scene_{index:02}.png", confusion, 1.0))
    scenes = {image.image_id: image.image_id for image in found}
    return CountsTable.from_images(found, scenes=scenes, num_classes=total)


def names_of(dataset: str) -> tuple[str, ...]:
    """The class names that the default protocol prompts with."""
    return load_protocol().vocabulary(dataset).class_names


def judged(dataset: str, skill: float, *, seed: int = 0, images: int = SCENES, **changes: Any) -> Record:
    """A record of :func:`counts_for`."""
    variant = load_protocol().variant(dataset).name
    data = {"variant": variant, **changes.pop("data", {})}
    table = counts_for(dataset, skill, seed=seed, images=images)
    return a_record(dataset=dataset, table=table, class_names=names_of(dataset), data=data, **changes)


def judged_everywhere(skill: float, **changes: Any) -> list[Record]:
    """Records of one model on all eight data sets."""
    return [judged(dataset, skill, **changes) for dataset in DATASETS]


class Counts:
    """Counts of records that lie nowhere on disk."""

    def __init__(self) -> None:
        self._tables: dict[str, CountsTable] = {}

    def everywhere(self, skill: float, *, seed: int = 0, images: int = SCENES, **changes: Any) -> list[Record]:
        """Make records and keep their counts."""
        records = []
        for dataset in DATASETS:
            record = judged(dataset, skill, seed=seed, images=images, **changes)
            self._tables[record.counts.digest] = counts_for(dataset, skill, seed=seed, images=images)
            records.append(record)
        return records

    def __call__(self, record: Record) -> CountsTable | None:
        return self._tables.get(record.counts.digest)

    def write(self, records: list[Record], folder: Any) -> None:
        """Write records and counts as a run does."""
        for record in records:
            write_record(record, self(record), folder)
