"""Counts of images -> sums of scenes: all that resampling needs, 3 K numbers a scene.

IoU, ACC and their means depend on a confusion matrix only through its row sums
(truth), its column sums (prediction) and its diagonal (found). Sums over images
are sums of these, so a resample of scenes is a weighted sum of their rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.records.counts import CountsTable

__all__ = ["SceneSums", "scene_sums"]

_EXACT = 2**53
"""Integers up to here are exact as float64, so the order of summation cannot matter."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneSums:
    """What the images of S scenes add up to, for K classes."""

    names: tuple[str, ...]
    """S names, unique, sorted."""
    sums: NDArray[np.float64]
    """(S, 3, K) pixels of truth, of prediction, and found; whole numbers."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def total(self) -> NDArray[np.float64]:
        """(3, K) sums over all scenes."""
        return np.asarray(self.sums.sum(axis=0))

    @property
    def scenes_with_truth(self) -> NDArray[np.int64]:
        """(K,) scenes in which each class has truth."""
        return np.asarray((self.sums[:, 0] > 0).sum(axis=0), dtype=np.int64)


def scene_sums(counts: CountsTable) -> SceneSums:
    """Add the counts of the images of each scene.

    Scenes without a single counted pixel are left out: to draw one changes no figure, so it would only
    make the others look better known than they are.

    Args:
        counts: N images.

    Raises:
        RecordError: so many pixels that their sum is not exact, 2**53 a resample.
    """
    pixels = counts.pixels.astype(np.float64)
    image, truth, prediction = counts.image, counts.truth, counts.prediction
    used = np.unique(image)
    names, of_image = np.unique(np.asarray(counts.scenes, dtype=np.str_)[used], return_inverse=True)
    if len(names) * float(pixels.sum()) > _EXACT:
        raise RecordError(
            f"The counts hold {pixels.sum():.0f} pixels in {len(names)} scenes, too many for exact sums: split them."
        )
    scene = of_image[np.searchsorted(used, image)]
    classes = counts.num_classes

    def added(of_class: NDArray[np.uint8], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = scene * classes + of_class
        sums = np.bincount(flat, weights, minlength=len(names) * classes)
        return np.asarray(sums, dtype=np.float64).reshape(len(names), classes)

    found = np.where(truth == prediction, pixels, 0.0)
    sums = np.stack([added(truth, pixels), added(prediction, pixels), added(truth, found)], axis=1)
    return SceneSums(names=tuple(names.tolist()), sums=sums)
