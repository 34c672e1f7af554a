"""Measuring on an accelerator: scores stay on the device down to the counts, and nothing waits for one image."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ovrisisbench.adapter.interface import Adapter, Precision
from ovrisisbench.adapter.precision import inference
from ovrisisbench.adapter.score_maps import check_score_maps, cropped_scores
from ovrisisbench.evaluate.device_counts import CountedImage, DeviceCounter, Strategy
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.evaluate.kept_labels import KeptLabels
from ovrisisbench.evaluate.labels import label_map

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["DeviceMeasurer"]

_AHEAD = 64
"""Images that may be under way at once: enough to keep a GPU busy, little enough to lose at a kill."""


class DeviceMeasurer:
    """Scores, labels and counts images on one device; see :class:`DeviceCounter` for how.

    Args:
        adapter: the model, its vocabulary set, its scores on ``device``.
        dataset: the prepared data set.
        num_classes: K.
        precision: arithmetic of the model.
        device: a torch device, normally ``cuda:N``.
        strategy: where pixels are counted.
        kept: where label maps are written; each is waited for, so that fewer images are under way.
    """

    def __init__(
        self,
        adapter: Adapter,
        dataset: PreparedDataset,
        num_classes: int,
        *,
        precision: Precision,
        device: str,
        strategy: Strategy = "device",
        kept: KeptLabels | None = None,
    ) -> None:
        self._adapter = adapter
        self._dataset = dataset
        self._num_classes = num_classes
        self._precision = precision
        self._device = device
        self._strategy = strategy
        self._kept = kept

    def measure(self, batches: Iterable[Sequence[int]]) -> Iterator[list[ImageCounts]]:
        """Yield the counts of images as they arrive, in order.

        Raises:
            AdapterError: the model broke its contract.
            EvaluationError: scores that are not finite, or labels out of range; names the image.
        """
        times: deque[_BatchTime] = deque()
        with DeviceCounter(self._num_classes, strategy=self._strategy) as counter:
            for batch in batches:
                times.extend([self._submit(batch, counter)] * len(batch))
                yield [self._timed(image, times) for image in counter.collect()]
                while len(times) > _AHEAD:
                    yield [self._timed(next(counter.collect(wait=True)), times)]
            yield [self._timed(image, times) for image in counter.collect(wait=True)]

    def _submit(self, batch: Sequence[int], counter: DeviceCounter) -> _BatchTime:
        import torch

        images = [self._dataset.image(index) for index in batch]
        ids = [self._dataset.samples[index].id for index in batch]
        clock = _BatchTime(len(batch), self._device)
        with inference(self._precision, self._device):
            maps = self._adapter.predict(images, image_ids=ids)
            check_score_maps(maps, num_classes=self._num_classes, images=images, image_ids=ids)
            for index, image_id, score_map in zip(batch, ids, maps, strict=True):
                scores = torch.as_tensor(cropped_scores(score_map), device=self._device)
                counter.submit(image_id, scores, self._dataset.label(index))
                if self._kept is not None:
                    self._kept.keep(image_id, label_map(scores, score_map.image_size, name=image_id))
        clock.stop()
        return clock

    @staticmethod
    def _timed(image: CountedImage, times: deque[_BatchTime]) -> ImageCounts:
        return ImageCounts.from_confusion(image.name, image.confusion, times.popleft().milliseconds_per_image())


class _BatchTime:
    """Time of one batch: by the GPU's own clock, read when the batch is known to be finished, else by the processor's.

    Args:
        images: number of images in the batch.
        device: a torch device.
    """

    def __init__(self, images: int, device: str) -> None:
        self._images = images
        self._on_gpu = device.startswith("cuda")
        self._marks = [self._mark()]

    def stop(self) -> None:
        self._marks.append(self._mark())

    def milliseconds_per_image(self) -> float:
        start, end = self._marks
        if not self._on_gpu:
            return 1000 * float(end - start) / self._images
        end.synchronize()
        return float(start.elapsed_time(end)) / self._images

    def _mark(self) -> Any:  # noqa: ANN401 - seconds, or a CUDA event
        if not self._on_gpu:
            return time.perf_counter()
        import torch

        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        event.record()
        return event
