"""The run loop: images of one prepared data set through one model, to integer counts per image.

Every image is scored, upsampled, labelled and counted on its own, and its
counts go into the journal before the next result is awaited. Counts depend on
nothing but the image, the weights and the settings: batch size, order, number
of processes and interruptions leave no trace in them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.adapter.interface import Adapter, Precision
from ovrisisbench.adapter.precision import inference, matmul_arithmetic
from ovrisisbench.evaluate.device_measuring import DeviceMeasurer
from ovrisisbench.evaluate.host_measuring import HostMeasurer
from ovrisisbench.evaluate.image_counts import ImageCounts, summed_confusion
from ovrisisbench.evaluate.journal import Journal
from ovrisisbench.evaluate.kept_labels import KeptLabels
from ovrisisbench.evaluate.processes import Processes

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["Evaluation", "Progress", "RunOptions", "evaluate"]

Progress = Callable[[int, int], None]
"""Called with (finished, wanted) images after every batch, in the process that calls :func:`evaluate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How images are driven through the model; none of it changes a count, except ``precision`` and ``device``."""

    device: str = "cpu"
    precision: Precision = "float32"
    batch_size: int = 1
    """Images handed to the model at once."""
    threads: int = 1
    """On a CPU: batches in flight at once, one thread each; 1 unless ``AdapterInfo.concurrent``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The counts of all wanted images, in the data set's order."""

    images: tuple[ImageCounts, ...]
    num_classes: int
    seconds: float
    """Wall time of this start, without what earlier starts had finished."""
    resumed_images: int
    """Images that an earlier, interrupted start had finished."""

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(K, K) int64, rows truth: the sum over all images."""
        return summed_confusion(self.images, self.num_classes)


def evaluate(
    adapter: Adapter,
    dataset: PreparedDataset,
    wanted: Sequence[int],
    *,
    class_names: Sequence[str],
    journal: Journal,
    options: RunOptions,
    processes: Processes | None = None,
    on_progress: Progress | None = None,
    kept: KeptLabels | None = None,
) -> Evaluation:
    """Measure one model on images of one prepared data set.

    Args:
        adapter: the loaded model; it is given the vocabulary here.
        dataset: the prepared data set.
        wanted: indices of the samples to measure.
        class_names: K names in label order.
        journal: open journal of this evaluation; images found in it are not measured again.
        options: device, arithmetic and batch size.
        processes: this process among those that share the work; alone by default.
        on_progress: told how many of this process's images are finished.
        kept: where label maps are written; an image in the journal that has none there is measured again.

    Returns:
        The counts of all wanted images, the same in every process.

    Raises:
        AdapterError: the model broke its contract.
        EvaluationError: scores that are not finite, or labels out of range; names the image.
    """
    processes = processes or Processes()
    start = time.perf_counter()
    finished = _merged(processes.gather(journal.finished()))
    if kept is not None:
        finished = {image_id: image for image_id, image in finished.items() if kept.has(image_id)}
    ids = [dataset.samples[index].id for index in wanted]
    resumed = sum(image_id in finished for image_id in ids)
    left = [index for index, image_id in zip(wanted, ids, strict=True) if image_id not in finished]
    mine = processes.share(left)
    done: dict[str, ImageCounts] = {}
    with matmul_arithmetic(options.precision, options.device):
        with inference(options.precision, options.device):
            adapter.set_vocabulary(class_names)
        measurer = _measurer(adapter, dataset, len(class_names), options, kept)
        for images in measurer.measure(_batches(mine, options.batch_size)):
            for image in images:
                journal.append(image)
                done[image.image_id] = image
            if on_progress is not None:
                on_progress(len(done), len(mine))
    everything = finished | _merged(processes.gather(done))
    return Evaluation(
        images=tuple(everything[image_id] for image_id in ids),
        num_classes=len(class_names),
        seconds=time.perf_counter() - start,
        resumed_images=resumed,
    )


def _merged(parts: Sequence[Mapping[str, ImageCounts]]) -> dict[str, ImageCounts]:
    return {image_id: image for part in parts for image_id, image in part.items()}


def _batches(indices: Sequence[int], size: int) -> list[Sequence[int]]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]


def _measurer(
    adapter: Adapter, dataset: PreparedDataset, num_classes: int, options: RunOptions, kept: KeptLabels | None
) -> HostMeasurer | DeviceMeasurer:
    if options.device == "cpu":
        return HostMeasurer(
            adapter, dataset, num_classes, precision=options.precision, threads=options.threads, kept=kept
        )
    return DeviceMeasurer(adapter, dataset, num_classes, precision=options.precision, device=options.device, kept=kept)
