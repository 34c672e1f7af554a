"""Where to count scores that lie on a GPU: on the device, or on the processor while the device goes on.

    python benchmarks/device_counts.py

Without a CUDA device it says so and measures nothing.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from drawn_tiles import score_tiles

from ovrisisbench.evaluate import DeviceCounter, confusion

_IMAGES = 64
_ROUNDS = 7


def plain(scores: list[torch.Tensor], targets: list[np.ndarray], num_classes: int) -> np.ndarray:
    """Stretch, argmax, copy and count one image after the other, as published evaluations do."""
    total = np.zeros((num_classes, num_classes), np.int64)
    for one, target in zip(scores, targets, strict=True):
        full = F.interpolate(one[None], size=target.shape, mode="bilinear", align_corners=False)
        total += confusion(full[0].argmax(0).cpu().numpy().astype(np.uint8), target, num_classes)
    return total


def queued(strategy: str, scores: list[torch.Tensor], targets: list[np.ndarray], num_classes: int) -> np.ndarray:
    """Count with one of the two strategies."""
    total = np.zeros((num_classes, num_classes), np.int64)
    with DeviceCounter(num_classes, strategy=strategy) as counter:
        for index, (one, target) in enumerate(zip(scores, targets, strict=True)):
            counter.submit(str(index), one, target)
            for image in counter.collect():
                total += image.confusion
        for image in counter.collect(wait=True):
            total += image.confusion
    return total


def measure(num_classes: int, size: tuple[int, int]) -> None:
    """Print wall times per image: here the device's time counts, not the processor's."""
    scores = [torch.from_numpy(tile).cuda() for tile, _ in score_tiles(_IMAGES, num_classes, 96, size)]
    generator = np.random.default_rng(0)
    targets = [generator.integers(0, num_classes, size, dtype=np.uint8) for _ in scores]
    ways = {
        "image by image": lambda: plain(scores, targets, num_classes),
        "strategy device": lambda: queued("device", scores, targets, num_classes),
        "strategy host": lambda: queued("host", scores, targets, num_classes),
    }
    totals = {name: way() for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            torch.cuda.synchronize()
            start = time.perf_counter()
            way()
            seconds[name].append((time.perf_counter() - start) / _IMAGES)
    moved = int(np.abs(totals["strategy device"] - totals["image by image"]).sum()) // 2
    print(f"\n{num_classes}×96×96 -> {size[0]}×{size[1]}: wall ms per image, median of {_ROUNDS} rounds")
    for name, times in seconds.items():
        print(f"  {name:20s} {1000 * statistics.median(times):9.3f} ms")
    print(f"  device and host counts equal: {np.array_equal(totals['strategy device'], totals['strategy host'])}")
    print(f"  pixels counted otherwise than image by image (near ties): {moved}")


def main() -> int:
    """Run all tables, if there is a GPU."""
    if not torch.cuda.is_available():
        print("There is no CUDA device here: nothing was measured.")
        return 0
    print(torch.cuda.get_device_name())
    for num_classes, size in ((6, (512, 512)), (17, (1024, 1024)), (8, (2160, 4096))):
        measure(num_classes, size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
