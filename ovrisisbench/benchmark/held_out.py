"""What a model has seen in training of the images it is tested on, and which of them are left out.

An image was seen if it belongs to the training split of the model's training
set, if its pixels equal those of an image there, or if it looks the same as
one (see :mod:`ovrisisbench.prepare.duplicates.search`). Every run of a trained model
counts such images; a protocol whose ``held_out`` is ``seen in training``
leaves them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.benchmark.inputs import open_prepared
from ovrisisbench.catalog import Protocol, is_outside, training_set_title
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.catalog.protocols import TRAIN_SPLIT
from ovrisisbench.errors import CatalogError, DataError

if TYPE_CHECKING:
    from ovrisisbench.prepare import Manifest, PreparedDataset, Sample
    from ovrisisbench.records import SeenInTraining

__all__ = ["Exposure", "TrainingImages", "exposures", "training_images"]


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """The images that a model was trained on."""

    manifest: Manifest
    samples: Sequence[Sample]
    """Those of the training split."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Which images of one data set are tested, and what training has seen of the data set."""

    tested: Sequence[int]
    """Indices of the samples that are tested."""
    seen: SeenInTraining | None
    """None if the model was not trained, or its training images are not known."""
    partial_reasons: tuple[str, ...] = ()
    """Why what was left out may not be everything."""


def training_images(protocol: Protocol, train_set: str | None, data: Path) -> TrainingImages | None:
    """Find the images that a model was trained on among the prepared data.

    Args:
        protocol: the rules; they say in which variant the training set is prepared.
        train_set: key of the training set; None for a model that was not trained.
        data: folder with prepared data sets.

    Returns:
        None for a model that was not trained. Under a protocol that leaves nothing out also if the training
        set is not prepared, cannot be used, or does not say which images are for training.

    Raises:
        DataError: the same under a protocol that leaves out what was seen.
    """
    if train_set is None:
        return None
    if is_outside(train_set):
        if not protocol.holds_out_seen:
            return None
        raise DataError(
            f"Protocol {protocol.name} leaves out what a model has seen in training, but which images "
            f"{training_set_title(train_set)} holds is not known here; take a protocol that leaves nothing out."
        )
    try:
        return _training_images(protocol, train_set, data)
    except (DataError, CatalogError):
        if protocol.holds_out_seen:
            raise
        return None  # what training has seen is worth knowing, but no reason to refuse a run that does not need it


def _training_images(protocol: Protocol, train_set: str, data: Path) -> TrainingImages:
    from ovrisisbench.prepare import prepared_path

    variant = protocol.train_variant(train_set)
    path = prepared_path(data, train_set, variant.name)
    needs = f"protocol {protocol.name} leaves out what the model has seen in training"
    if not path.exists():
        raise DataError(
            f"{path} does not exist, but {needs}, so the training set must be there; run 'ovrisis-bench prepare "
            f"{train_set} --variant {variant.name} --from DOWNLOAD --to {data}' first."
        )
    with open_prepared(protocol, train_set, data, variant=variant) as dataset:
        manifest = dataset.manifest
    samples = [sample for sample in manifest.samples if sample.split == TRAIN_SPLIT]
    if "all" in manifest.counts or not samples:
        found = "from a download without splits" if "all" in manifest.counts else "without its training split"
        raise DataError(
            f"{path} was prepared {found}, but {needs}; prepare {train_set} from a download that tells train from the "
            "rest."
        )
    return TrainingImages(manifest, samples)


def exposures(
    protocol: Protocol, datasets: Sequence[PreparedDataset], training: TrainingImages | None
) -> list[Exposure]:
    """Say for each data set what training has seen of it, and which images are tested.

    Args:
        protocol: the rules.
        datasets: prepared data sets that are to be tested.
        training: the images that the model was trained on; None if it was not, or they are not known.

    Raises:
        DataError: a data set of which nothing is left to test.
    """
    return [_exposure(protocol, dataset, training) for dataset in datasets]


def _exposure(protocol: Protocol, dataset: PreparedDataset, training: TrainingImages | None) -> Exposure:
    from ovrisisbench.prepare.download.perceptual_hash import NEAR
    from ovrisisbench.prepare.duplicates.search import seen_among
    from ovrisisbench.records import SeenInTraining

    test = protocol.test_set(dataset.manifest.dataset)
    everything = [index for index, sample in enumerate(dataset.samples) if test.tests_split(sample.split)]
    if not everything:
        raise DataError(
            f"{dataset.path} holds nothing but images for training, which protocol {protocol.name} does not test; "
            "leave it out with --datasets, or prepare it from a download with its other splits."
        )
    if training is None:
        return Exposure(everything, None)
    distance = NEAR if protocol.near_duplicate_distance is None else protocol.near_duplicate_distance
    is_train_set = training.manifest.dataset == dataset.manifest.dataset
    of_split = {index for index in everything if is_train_set and dataset.samples[index].split == TRAIN_SPLIT}
    others = [index for index in everything if index not in of_split]
    found = seen_among([dataset.samples[index] for index in others], training.samples, distance=distance)
    unseen = [index for index, seen in zip(others, found.exact | found.near, strict=True) if not seen]
    if protocol.holds_out_seen and not unseen:
        raise DataError(
            f"Nothing of {dataset.path} is left to test: the model has seen all of its {len(everything)} images in "
            f"training on {training.manifest.dataset}; leave it out with --datasets."
        )
    gone = set(everything) - set(unseen)
    seen = SeenInTraining(
        train_set=training.manifest.dataset,
        train_digest=training.manifest.digest,
        train_images=len(training.samples),
        train_partial=training.manifest.partial,
        of=len(everything),
        by_split=len(of_split),
        exact=int(found.exact.sum()),
        near=int(found.near.sum()),
        distance=distance,
        ids_digest=content_digest(sorted(dataset.samples[index].id for index in gone)),
        left_out=protocol.holds_out_seen,
    )
    doubts: tuple[str, ...] = ()
    if seen.left_out and seen.train_partial and not is_train_set:  # the training set itself says that it is partial
        doubts = (f"training set {seen.train_set} is partial, so not all that was seen in training could be left out",)
    return Exposure(unseen if seen.left_out else everything, seen, doubts)
