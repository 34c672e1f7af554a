"""The counts of one image: the unit that is stored, resumed, merged and resampled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ImageCounts", "summed_confusion"]


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """The nonzero cells of one image's confusion matrix."""

    image_id: str
    cells: NDArray[np.int64]
    """(n, 3): truth, prediction, pixels > 0; sorted by truth, then prediction."""
    milliseconds: float
    """Wall time of scoring and counting this image, its share of the batch."""

    @classmethod
    def from_confusion(cls, image_id: str, confusion: NDArray[np.int64], milliseconds: float) -> ImageCounts:
        """Keep the nonzero cells of a (K, K) confusion matrix, rows truth."""
        truth, prediction = np.nonzero(confusion)
        cells = np.stack([truth, prediction, confusion[truth, prediction]], axis=1).astype(np.int64)
        return cls(image_id, cells, milliseconds)


def summed_confusion(images: Iterable[ImageCounts], num_classes: int) -> NDArray[np.int64]:
    """Add the counts of images up to one (K, K) int64 confusion matrix, rows truth.

    Example:
        >>> one = ImageCounts("a", np.array([[0, 1, 5]]), 0.0)
        >>> summed_confusion([one, one], 2).tolist()
        [[0, 10], [0, 0]]
    """
    total = np.zeros((num_classes, num_classes), np.int64)
    for image in images:
        total[image.cells[:, 0], image.cells[:, 1]] += image.cells[:, 2]
    return total
