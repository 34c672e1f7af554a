"""What preparing must give, written as plainly as possible and without the package's own code for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ovrisisbench.catalog import DatasetCard
from ovrisisbench.catalog.cards import WindowRule
from tests.drawn.scenery import Scene

Truth = dict[str, tuple[np.ndarray, np.ndarray]]
"""Sample id -> (picture (H, W, 3) uint8, label map (H, W) uint8)."""


def relabelled(labels: np.ndarray, card: DatasetCard, variant: str) -> np.ndarray:
    """Return a drawn class map as label map of a variant: index in the vocabulary, 255 = ignored."""
    chosen = card.variant(variant).labels
    result = np.full(labels.shape, 254, np.uint8)
    for position, label in enumerate((*card.classes, *card.other_labels)):
        index = chosen[label.name]
        result[labels == position] = 255 if index == "ignore" else index
    return result


def coloured(labels: np.ndarray, card: DatasetCard) -> np.ndarray:
    """Return a drawn class map in the colours on the card, (H, W, 3) uint8."""
    result = np.zeros((*labels.shape, 3), np.uint8)
    for position, label in enumerate((*card.classes, *card.other_labels)):
        result[labels == position] = label.colour
    return result


def windows(name: str, picture: np.ndarray, labels: np.ndarray, rule: WindowRule | None) -> Truth:
    """Cut one scene by a rule; without one it stays whole."""
    if rule is None:
        return {name: (picture, labels)}
    kept = {}
    height, width = labels.shape
    for y0, y1 in _spans(height, rule):
        for x0, x1 in _spans(width, rule):
            label = labels[y0:y1, x0:x1]
            if (label != 255).sum() > rule.keep_above * label.size:
                kept[f"{name}_{y0}_{y1}_{x0}_{x1}"] = (picture[y0:y1, x0:x1], label)
    return kept


def counted(card: DatasetCard, scenes: Sequence[Scene], variants: Mapping[str, Mapping[str, int]]) -> DatasetCard:
    """Return the card with the counts and sizes of drawn data as if they were the published ones.

    Args:
        card: the installed one.
        scenes: all that are drawn, those without masks included.
        variants: variant -> evaluated images by split; summed where the card knows only the sum.
    """
    drawn = [scene.split for scene in scenes]
    changed = []
    for split in card.splits:
        count = len(drawn) if split.name == "all" else drawn.count(split.name)
        # What the card does not know, or knows to be none, stays so.
        update = {"images": split.images and count, "labelled": split.labelled and count}
        changed.append(split.model_copy(update=update))
    readings = []
    for variant in card.variants:
        counts = dict(variants[variant.name])
        if "all" in variant.counts:
            counts = {"all": sum(counts.values())}
        readings.append(variant.model_copy(update={"counts": counts, "name_digests": {}}))
    sizes = {scene.labels.shape for scene in scenes} if card.checkup.sizes else set()
    checkup = card.checkup.model_copy(update={"sizes": (*card.checkup.sizes, *sorted(sizes))})
    return card.model_copy(update={"splits": tuple(changed), "variants": tuple(readings), "checkup": checkup})


def _spans(length: int, rule: WindowRule) -> list[tuple[int, int]]:
    spans = []
    for start in range(0, length, rule.stride):
        span = (start, start + rule.size)
        if span[1] > length and rule.last == "dropped":
            continue
        if span[1] > length:
            span = (max(0, length - rule.size), length)
        if span not in spans:
            spans.append(span)
    return spans
