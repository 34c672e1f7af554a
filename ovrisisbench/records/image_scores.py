"""Figures of single images, from the stored counts: which images a model does worst on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.records.counts import CountsTable

__all__ = ["ImageScores", "image_scores", "worst_middle_best"]


@dataclass(frozen=True, slots=True, eq=False)
class ImageScores:
    """IoU of every class in every image of a table of counts, in its order."""

    iou: NDArray[np.float64]
    """(N, K) fractions; NaN where a class has neither truth nor prediction in the image."""
    has_truth: NDArray[np.bool_]
    """(N, K)."""

    @property
    def miou(self) -> NDArray[np.float64]:
        """(N,) mean over the classes that have truth in the image; NaN for an image without any."""
        kept = np.where(self.has_truth, self.iou, 0.0)
        classes = self.has_truth.sum(axis=1)
        return np.where(classes > 0, kept.sum(axis=1) / np.maximum(classes, 1), np.nan)


def image_scores(counts: CountsTable) -> ImageScores:
    """Compute the figures of each image.

    Example:
        >>> from ovrisisbench.evaluate.image_counts import ImageCounts
        >>> from ovrisisbench.records import CountsTable
        >>> one = ImageCounts("a", np.array([[0, 0, 3], [0, 1, 1]]), 0.0)
        >>> scores = image_scores(CountsTable.from_images([one], scenes={"a": "a"}, num_classes=3))
        >>> scores.iou.tolist(), scores.miou.tolist()
        ([[0.75, 0.0, nan]], [0.75])
    """
    size, classes = len(counts), counts.num_classes
    pixels = counts.pixels.astype(np.float64)
    image = counts.image.astype(np.int64)
    right = counts.truth == counts.prediction

    def summed(labels: NDArray[np.uint8], kept: NDArray[np.bool_] | slice = slice(None)) -> NDArray[np.float64]:
        places = (image * classes + labels)[kept]
        total = np.bincount(places, weights=pixels[kept], minlength=size * classes)
        return np.asarray(total, np.float64).reshape(size, classes)

    both, truth, predicted = summed(counts.truth, right), summed(counts.truth), summed(counts.prediction)
    union = truth + predicted - both
    iou = np.where(union > 0, both / np.maximum(union, 1), np.nan)
    return ImageScores(iou=iou, has_truth=truth > 0)


def worst_middle_best(figures: NDArray[np.float64], count: int) -> list[int]:
    """Choose images that show the whole range: a third from either end and a third around the middle.

    Args:
        figures: (N,) one for each image, higher is better; NaN is never chosen.
        count: how many at most.

    Returns:
        Indices, the worst first.

    Example:
        >>> worst_middle_best(np.array([0.9, 0.1, 0.5, np.nan, 0.2, 0.6, 0.8]), 3)
        [1, 2, 0]
    """
    order = [int(index) for index in np.argsort(figures, kind="stable") if not np.isnan(figures[index])]
    if len(order) <= count:
        return order
    ends = count // 3
    middle = count - 2 * ends
    start = min(max((len(order) - middle) // 2, ends), len(order) - ends - middle)
    return [*order[:ends], *order[start : start + middle], *order[len(order) - ends :]]
