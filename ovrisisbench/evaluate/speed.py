"""How long one model takes for one image: from pixels in memory to the label map.

Text is encoded before and measured apart; the first images warm up and are not
counted; on a GPU the clock waits for the device before and after every image.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.adapter.interface import Adapter, Precision, ScoreMap
from ovrisisbench.adapter.precision import inference, matmul_arithmetic
from ovrisisbench.adapter.score_maps import check_score_maps, cropped_scores
from ovrisisbench.evaluate.flops import FlopCount, count_flops
from ovrisisbench.evaluate.labels import label_map
from ovrisisbench.evaluate.memory import PeakMemory

__all__ = ["SpeedMeasurement", "drawn_images", "measure_speed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedMeasurement:
    """What one model took."""

    image_ms: tuple[float, ...]
    """Wall time of every counted image, in milliseconds."""
    text_ms: float
    """Wall time of encoding the vocabulary, or of reading it from the cache."""
    flops: FlopCount
    """Of one image, without its text."""
    peak_memory_mib: float | None
    """While images were scored, text encoded before; None where the system does not tell."""


def measure_speed(
    adapter: Adapter,
    images: Sequence[NDArray[np.uint8]],
    *,
    class_names: Sequence[str],
    warm_up: int,
    device: str,
    precision: Precision = "float32",
    memory: PeakMemory,
) -> SpeedMeasurement:
    """Time a loaded model, one image at a time.

    On a CPU every operator runs on one thread, as in a run.

    Args:
        adapter: the model.
        images: arrays (H, W, 3) uint8, RGB; the first ``warm_up`` of them are not counted.
        class_names: K names.
        warm_up: images before the clock counts, fewer than there are images.
        device: the torch device that the model is on.
        precision: arithmetic of matrix products.
        memory: measuring since before the model was loaded.

    Raises:
        AdapterError: the model broke its contract.
        EvaluationError: scores that are not finite.
    """
    with matmul_arithmetic(precision, device):
        start = time.perf_counter()
        with inference(precision, device):
            adapter.set_vocabulary(class_names)
        _wait_for(device)
        text_ms = 1000 * (time.perf_counter() - start)
        memory.restart()
        times = []
        for index, image in enumerate(images):
            _wait_for(device)
            start = time.perf_counter()
            with inference(precision, device):
                maps = adapter.predict([image], image_ids=[f"drawn_{index}"])
            _label(maps, image, len(class_names))
            _wait_for(device)
            times.append(1000 * (time.perf_counter() - start))
        peak = memory.mib()
        with inference(precision, device):
            flops = count_flops(lambda: adapter.predict(images[:1], image_ids=["drawn_0"]))
    return SpeedMeasurement(image_ms=tuple(times[warm_up:]), text_ms=text_ms, flops=flops, peak_memory_mib=peak)


def drawn_images(count: int, size: int) -> list[NDArray[np.uint8]]:
    """Draw different square images (size, size, 3) uint8: blocks of many sizes and fine noise, the same every time.

    Args:
        count: how many.
        size: side in pixels.
    """
    images = []
    for index in range(count):
        generator = np.random.default_rng(index)
        image = np.zeros((size, size, 3))
        for block in (97, 31, 7, 1):
            cells = generator.random((size // block + 1, size // block + 1, 3))
            image += cells.repeat(block, axis=0).repeat(block, axis=1)[:size, :size] * 63.75
        images.append(image.astype(np.uint8))
    return images


def _label(maps: Sequence[ScoreMap], image: NDArray[np.uint8], num_classes: int) -> None:
    check_score_maps(maps, num_classes=num_classes, images=[image], image_ids=["drawn"])
    label_map(cropped_scores(maps[0]), maps[0].image_size)


def _wait_for(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
