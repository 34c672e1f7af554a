"""Counting a confusion matrix: ovrisisbench against what the field uses.

    python benchmarks/confusion.py

Bars, at 1024×1024 pixels and 17 classes on one thread, against the fastest peer
(``np.bincount`` of an int64 pair code): 7x with numba, 2x without. Exits with 1
if one is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from drawn_tiles import label_tiles
from sklearn.metrics import confusion_matrix
from timing import Bar, compare, print_verdict
from torchmetrics.functional.classification import multiclass_confusion_matrix

from ovrisisbench.evaluate import ConfusionCounter, confusion

_PEER = "np.bincount, masked int64 code"
_NUMBA = "ovrisisbench, numba"
_TORCH = "ovrisisbench, torch (without numba)"
_NUMPY = "ovrisisbench, numpy (neither)"


def masked_bincount(prediction: np.ndarray, target: np.ndarray, num_classes: int) -> np.ndarray:
    """Count as most segmentation repositories do."""
    known = target < num_classes
    codes = num_classes * target[known].astype(np.int64) + prediction[known]
    return np.bincount(codes, minlength=num_classes**2).reshape(num_classes, num_classes)


def detectron2_bincount(prediction: np.ndarray, target: np.ndarray, num_classes: int) -> np.ndarray:
    """Count as Detectron2's evaluator does, with a row and column for ignored pixels."""
    size = num_classes + 1
    truth = target.astype(np.int64)
    truth[truth == 255] = num_classes
    codes = size * prediction.astype(np.int64).reshape(-1) + truth.reshape(-1)
    return np.bincount(codes, minlength=size * size).reshape(size, size)[:-1, :-1].T


def torchmetrics_counts(prediction: np.ndarray, target: np.ndarray, num_classes: int) -> np.ndarray:
    """Count with torchmetrics, its slow validation off."""
    maps = (torch.from_numpy(labels).long() for labels in (prediction, target))
    return multiclass_confusion_matrix(*maps, num_classes, ignore_index=255, validate_args=False).numpy()


def sklearn_counts(prediction: np.ndarray, target: np.ndarray, num_classes: int) -> np.ndarray:
    """Count with scikit-learn."""
    known = target != 255
    return confusion_matrix(target[known], prediction[known], labels=range(num_classes))


def ours(path: str) -> Callable[..., np.ndarray]:
    """Return the stateless function on one path."""
    return lambda prediction, target, num_classes: confusion(prediction, target, num_classes, path=path)


def counter(num_classes: int) -> Callable[..., np.ndarray]:
    """Return the accumulator, asked for counts after every image."""
    kept = ConfusionCounter(num_classes, path="numba")

    def count(prediction: np.ndarray, target: np.ndarray, _: int) -> np.ndarray:
        kept.update(prediction, target)
        return kept.take()

    return count


def main() -> int:
    """Run all tables."""
    torch.set_num_threads(1)
    own = {_NUMBA: ours("numba"), _TORCH: ours("torch"), _NUMPY: ours("numpy")}
    peers = {_PEER: masked_bincount, "detectron2": detectron2_bincount, "torchmetrics": torchmetrics_counts}
    bars = [Bar(_NUMBA, _PEER, 7), Bar(_TORCH, _PEER, 2)]
    all_met = compare(
        "1024×1024, 17 classes",
        {**peers, "scikit-learn": sklearn_counts, "ConfusionCounter, numba": counter(17), **own},
        label_tiles(12, 17, 1024),
        rounds=9,
        bars=bars,
    )
    for side, num_classes, count in ((512, 17, 24), (1024, 6, 12), (1024, 64, 12), (1024, 150, 12), (3000, 17, 3)):
        ways = {_PEER: masked_bincount, **own}
        title = f"{side}×{side}, {num_classes} classes"
        compare(title, ways, label_tiles(count, num_classes, side), rounds=5)
    return print_verdict(all_met=all_met)


if __name__ == "__main__":
    sys.exit(main())
