"""From a prepared data set to batches of crops, in this process or in several others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ovrisisbench.adapter.recipe import Recipe
from ovrisisbench.train.augmentation import augmented
from ovrisisbench.train.stream import TrainingStream

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["Batch", "Crops", "batches"]


@dataclass(frozen=True, slots=True)
class Batch:
    """One process's share of a step."""

    images: Tensor
    """(B, 3, crop, crop) uint8, RGB."""
    labels: Tensor
    """(B, crop, crop) uint8, 255 for ignored pixels."""
    ids: tuple[str, ...]
    """Names of the B pictures."""

    def parts(self, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Cut images and labels into equal parts; ``count`` divides B."""
        size = len(self.labels) // count
        yield from zip(torch.split(self.images, size), torch.split(self.labels, size), strict=True)


class Crops(Dataset[tuple[Tensor, Tensor, str]]):
    """The stream of augmented pictures, by place.

    Args:
        dataset: prepared.
        pictures: indices of the samples that are trained on.
        recipe: of the augmentation.
        seed: of the stream.
    """

    def __init__(self, dataset: PreparedDataset, pictures: Sequence[int], recipe: Recipe, *, seed: int) -> None:
        self.dataset, self.pictures, self.recipe = dataset, list(pictures), recipe
        self.stream = TrainingStream(len(self.pictures), seed)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor, str]:
        index = self.pictures[self.stream.picture(place)]
        image, labels = augmented(
            self.dataset.image(index), self.dataset.label(index), self.recipe, self.stream.generator(place)
        )
        # Copied where it is a mirrored view.
        return (
            torch.from_numpy(image.transpose(2, 0, 1).copy()),
            torch.from_numpy(labels.copy()),
            self.dataset.samples[index].id,
        )


def batches(crops: Crops, *, start: int, rank: int = 0, count: int = 1, workers: int = 0) -> Iterator[Batch]:
    """Yield this process's share of every batch from iteration ``start`` to the last one.

    Args:
        crops: the stream.
        start: number of the first batch.
        rank: number of this training process.
        count: of training processes.
        workers: loading processes; 0 to load in this one.
    """
    recipe = crops.recipe
    wanted = [
        list(crops.stream.places(iteration, recipe.batch, rank=rank, count=count))
        for iteration in range(start, recipe.iterations)
    ]
    loader = DataLoader(
        crops,
        batch_sampler=wanted,
        num_workers=workers,
        collate_fn=_collated,
        pin_memory=workers > 0 and torch.cuda.is_available(),
        multiprocessing_context="spawn" if workers else None,
    )
    for images, labels, ids in loader:
        yield Batch(images, labels, ids)


def _collated(samples: Sequence[tuple[Tensor, Tensor, str]]) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    images, labels, ids = zip(*samples, strict=True)
    return torch.stack(images), torch.stack(labels), ids
