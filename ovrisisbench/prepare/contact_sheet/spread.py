"""Choosing a few samples that show a whole data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ovrisisbench.catalog.cards import IGNORE_INDEX

if TYPE_CHECKING:
    from ovrisisbench.prepare.storage.manifest import Sample

__all__ = ["spread_samples"]


def spread_samples(samples: Sequence[Sample], count: int) -> list[int]:
    """Choose samples evenly over splits and over the data, with every class among them where ``count`` allows.

    Rare classes are shown by the sample with the largest share of them. The
    effort grows with the number of samples, not with its square.

    Args:
        samples: in the order of the manifest.
        count: at least 1.

    Returns:
        Indices in rising order, ``count`` of them or all there are.

    Example:
        >>> spread_samples([], 3)
        []
    """
    count = min(count, len(samples))
    best = _best_by_class(samples)
    reserved = 0
    while True:
        evenly = _evenly(samples, range(len(samples)), count - reserved)
        special = _covering(samples, best, evenly)[:count]
        if len(special) <= reserved:
            break
        # Keeping more places for rare classes moves the others, which may leave out a class that they had.
        reserved = len(special)
    chosen = {*evenly, *special}
    rest = [index for index in range(len(samples)) if index not in chosen]
    return sorted({*chosen, *_evenly(samples, rest, count - len(chosen))})


def _best_by_class(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Return (label, index of the sample with its largest share), the rarest label first."""
    images: dict[int, int] = {}
    best: dict[int, tuple[float, int]] = {}
    for index, sample in enumerate(samples):
        area = sample.height * sample.width
        for label, pixels in sample.histogram.items():
            images[label] = images.get(label, 0) + 1
            if label not in best or pixels / area > best[label][0]:
                best[label] = (pixels / area, index)
    labels = sorted(images.keys() - {IGNORE_INDEX}, key=lambda label: (images[label], label))
    return [(label, best[label][1]) for label in labels]


def _covering(samples: Sequence[Sample], best: Iterable[tuple[int, int]], chosen: Iterable[int]) -> list[int]:
    """Return samples that add the classes which the chosen ones lack."""
    seen = {label for index in chosen for label in samples[index].histogram}
    added = []
    for label, index in best:
        if label not in seen:
            added.append(index)
            seen.update(samples[index].histogram)
    return added


def _evenly(samples: Sequence[Sample], pool: Iterable[int], count: int) -> list[int]:
    """Choose ``count`` of the pool: as many of each split as possible, at even distances."""
    splits: dict[str, list[int]] = {}
    for index in pool:
        splits.setdefault(samples[index].split, []).append(index)
    chosen: list[int] = []
    # The smallest split first: what it cannot fill goes to the larger ones.
    for left, (_, members) in zip(
        range(len(splits), 0, -1), sorted(splits.items(), key=lambda item: (len(item[1]), item[0])), strict=True
    ):
        share = min((count - len(chosen)) // left, len(members))
        chosen.extend(members[(2 * position + 1) * len(members) // (2 * share)] for position in range(share))
    return chosen
