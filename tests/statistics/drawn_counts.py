"""Counts of drawn images: models of known quality on scenes with rare and common classes."""

import numpy as np

from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.records import CountsTable


def table_of(confusions, scenes=None, names=None):
    """Counts of (K, K) matrices, every one a scene of its own if ``scenes`` does not say otherwise."""
    arrays = [np.asarray(confusion, np.int64) for confusion in confusions]
    names = names or [f"image {index:03d}" for index in range(len(arrays))]
    images = [ImageCounts.from_confusion(name, array, 0.0) for name, array in zip(names, arrays, strict=True)]
    scenes = scenes or [f"scene {index:03d}" for index in range(len(arrays))]
    return CountsTable.from_images(images, scenes=dict(zip(names, scenes, strict=True)), num_classes=arrays[0].shape[0])


def drawn_confusions(images, classes, *, quality=0.6, seed=0, truth_seed=0):
    """(images, K, K) int64; equal ``truth_seed`` gives equal truth."""
    draws = np.random.default_rng(truth_seed)
    truth = draws.integers(0, 400, (images, classes)) * (draws.random((images, classes)) < 0.7)
    truth[:, 0] += 10
    rng = np.random.default_rng([seed, 1])
    confusions = np.zeros((images, classes, classes), np.int64)
    for image in range(images):
        for label in range(classes):
            share = np.full(classes, (1 - quality) / classes)
            share[label] += quality
            share = rng.dirichlet(8 * share + 0.05)
            confusions[image, label] = rng.multinomial(truth[image, label], share)
    return confusions


def drawn_table(images=30, classes=4, **changes):
    return table_of(drawn_confusions(images, classes, **changes))
