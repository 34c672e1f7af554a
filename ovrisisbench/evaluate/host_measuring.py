"""Measuring on the CPU: batches in flight on several threads, counts in the order of the images."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from ovrisisbench.adapter.interface import Adapter, Precision
from ovrisisbench.adapter.precision import inference
from ovrisisbench.adapter.score_maps import check_score_maps, cropped_scores
from ovrisisbench.evaluate.counts import confusion
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.evaluate.kept_labels import KeptLabels
from ovrisisbench.evaluate.labels import label_map

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["HostMeasurer"]


class HostMeasurer:
    """Scores, labels and counts images with everything on the CPU.

    Args:
        adapter: the model, its vocabulary set.
        dataset: the prepared data set.
        num_classes: K.
        precision: arithmetic of the model.
        threads: batches in flight at once; 1 unless the model may be called from several threads.
        kept: where label maps are written, before the image counts as measured.
    """

    def __init__(
        self,
        adapter: Adapter,
        dataset: PreparedDataset,
        num_classes: int,
        *,
        precision: Precision,
        threads: int,
        kept: KeptLabels | None = None,
    ) -> None:
        self._adapter = adapter
        self._dataset = dataset
        self._num_classes = num_classes
        self._precision = precision
        self._threads = threads
        self._kept = kept

    def measure(self, batches: Iterable[Sequence[int]]) -> Iterator[list[ImageCounts]]:
        """Yield the counts of each batch of sample indices, in order.

        Raises:
            AdapterError: the model broke its contract.
            EvaluationError: scores that are not finite, or labels out of range; names the image.
        """
        pending: deque[Future[list[ImageCounts]]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for batch in batches:
                    pending.append(pool.submit(self._measure, batch))
                    # One batch more than threads, so that none waits while this generator's caller writes.
                    if len(pending) > self._threads:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _measure(self, batch: Sequence[int]) -> list[ImageCounts]:
        start = time.perf_counter()
        images = [self._dataset.image(index) for index in batch]
        ids = [self._dataset.samples[index].id for index in batch]
        with inference(self._precision, "cpu"):
            maps = self._adapter.predict(images, image_ids=ids)
        check_score_maps(maps, num_classes=self._num_classes, images=images, image_ids=ids)
        counted = []
        for index, image_id, score_map in zip(batch, ids, maps, strict=True):
            labels = label_map(cropped_scores(score_map), score_map.image_size, name=image_id)
            counts = confusion(labels, self._dataset.label(index), self._num_classes, name=image_id)
            if self._kept is not None:
                self._kept.keep(image_id, labels)
            counted.append((image_id, counts))
        share = 1000 * (time.perf_counter() - start) / len(batch)
        return [ImageCounts.from_confusion(image_id, counts, share) for image_id, counts in counted]
