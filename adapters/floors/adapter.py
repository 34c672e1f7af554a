"""The two floors as adapters; they need neither weights nor torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.adapter import LoadOptions, ScoreMap
from ovrisisbench.errors import AdapterError

__all__ = ["MostFrequentFloor", "RandomFloor"]


class _Floor:
    def __init__(self, options: LoadOptions) -> None:
        if options.checkpoint is not None:
            raise AdapterError(f"A floor has no weights, so {options.checkpoint.name} cannot be used; leave it out.")
        if options.settings:
            raise AdapterError(f"A floor has no settings; leave out {', '.join(sorted(options.settings))}.")
        self._seed = options.seed
        self._num_classes = 0

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Take the seed; see :class:`ovrisisbench.adapter.Adapter`."""
        return cls(options)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Take the number of classes."""
        self._num_classes = len(class_names)


class RandomFloor(_Floor):
    """A uniformly random class for every pixel, the same one whenever the image is asked for."""

    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Return (K, H, W) one-hot maps at the image's own size."""
        return [self._draw(image.shape[:2], image_id) for image, image_id in zip(images, image_ids, strict=True)]

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return the seed."""
        return {"seed": self._seed}

    def _draw(self, size: tuple[int, int], image_id: str) -> ScoreMap:
        digest = hashlib.sha256(f"{self._seed}:{image_id}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        drawn = generator.integers(0, self._num_classes, size)
        scores = (drawn[None] == np.arange(self._num_classes)[:, None, None]).astype(np.float32)
        return ScoreMap(scores, size)


class MostFrequentFloor(_Floor):
    """The one class that scores best without looking at any picture."""

    def __init__(self, options: LoadOptions) -> None:
        super().__init__(options)
        self._answer: int | None = None

    def see_truth(self, histogram: Sequence[int]) -> None:
        """Take the labelled pixels per class of the images to come, K integers."""
        self._answer = int(np.argmax(np.asarray(histogram)))

    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Return (K, 1, 1) maps that prefer the most frequent class."""
        if self._answer is None or self._answer >= self._num_classes:
            raise AdapterError(f"The floor was not told the class frequencies before image {image_ids[0]}.")
        scores = np.zeros((self._num_classes, 1, 1), np.float32)
        scores[self._answer] = 1.0
        return [ScoreMap(scores, image.shape[:2]) for image in images]

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return nothing: the answer follows from the data set."""
        return {}
