"""Floors and ceilings: the confusion counts of answers that need no model, from the truth alone.

Each function takes how many labelled pixels every class has, which are the row
sums of any confusion matrix of the data set, and returns the counts of one
way to answer. Metrics follow from them as from those of a model.

A ceiling for a model's coarse output (the majority label of each window of its
output grid) is not among them: counts do not say where in the image a label lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.catalog.protocols import Convention
from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.metrics import compute_metrics

__all__ = [
    "Floor",
    "closed_set_confusion",
    "highest_floor",
    "most_frequent_confusion",
    "oracle_confusion",
    "random_confusion",
    "truth_of",
]


@dataclass(frozen=True, slots=True)
class Floor:
    """What a model must beat on one data set."""

    name: str
    """In words, such as ``the most frequent class``."""
    miou: float
    """Fraction 0..1."""


def truth_of(confusion: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (K,) labelled pixels of each class, from any (K, K) confusion matrix of the data set."""
    return np.asarray(np.asarray(confusion, np.int64).sum(axis=1), np.int64)


def random_confusion(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what drawing one of K classes for every pixel, all equally likely, gives on average.

    Args:
        truth: (K,) labelled pixels of each class.

    Returns:
        (K, K) int64, every count K times too large so that it stays an integer; metrics are ratios of counts and
        do not change.

    Example:
        >>> random_confusion(np.array([6, 2]))
        array([[6, 6],
               [2, 2]])
    """
    truth = _checked(truth)
    return np.repeat(truth[:, None], len(truth), axis=1)


def most_frequent_confusion(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (K, K) int64 counts of answering the class with most labelled pixels everywhere; the first of equals.

    Args:
        truth: (K,) labelled pixels of each class.

    Example:
        >>> most_frequent_confusion(np.array([2, 6]))
        array([[0, 2],
               [0, 6]])
    """
    truth = _checked(truth)
    counts = np.zeros((len(truth), len(truth)), np.int64)
    counts[:, int(np.argmax(truth))] = truth
    return counts


def oracle_confusion(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (K, K) int64 counts of a perfect labeller: nothing outside the diagonal.

    It reaches 100 % over the classes that have truth, under every convention, because it predicts no other class.

    Args:
        truth: (K,) labelled pixels of each class.
    """
    return np.diag(_checked(truth))


def closed_set_confusion(
    truth: NDArray[np.int64], known: Sequence[bool], convention: Convention
) -> NDArray[np.int64] | None:
    """Return the best that a perfect labeller can do who can name only some of the classes.

    It labels every pixel of a known class rightly and must give the pixels of all others to known classes. What that
    costs a class in mIoU is concave in the pixels given to it, so giving all of them to one class is best; each known
    class is tried. One without truth costs nothing under ``detectron2``, and a zero in the mean under
    ``detectron2-0.6``.

    Args:
        truth: (K,) labelled pixels of each class.
        known: K flags, whether the labeller can name the class.
        convention: which mIoU is to be highest.

    Returns:
        (K, K) int64, or None where no class is known.

    Example:
        >>> closed_set_confusion(np.array([3, 6, 2]), [True, True, False], "detectron2")
        array([[3, 0, 0],
               [0, 6, 0],
               [0, 2, 0]])
    """
    truth = _checked(truth)
    flags = np.asarray(known, bool)
    if flags.shape != truth.shape:
        raise EvaluationError(f"There are {len(truth)} classes, but {flags.size} flags of known ones: give one each.")
    answers = []
    for target in np.flatnonzero(flags):
        counts = np.diag(np.where(flags, truth, 0))
        counts[:, target] += np.where(flags, 0, truth)
        answers.append((compute_metrics(counts, convention).miou or 0.0, -int(target), counts))
    return max(answers, key=lambda answer: answer[:2])[2] if answers else None


def highest_floor(confusion: NDArray[np.int64], convention: Convention) -> Floor | None:
    """Return the better of the two floors on the data that a confusion matrix counts; None where no pixel is labelled.

    Args:
        confusion: (K, K) pixel counts of any model, rows truth.
        convention: of mIoU.

    Example:
        >>> highest_floor(np.array([[0, 9], [0, 1]]), "detectron2")
        Floor(name='the most frequent class', miou=0.45)
    """
    truth = truth_of(confusion)
    answers = (("a random class", random_confusion), ("the most frequent class", most_frequent_confusion))
    floors = [(name, compute_metrics(counts_of(truth), convention).miou) for name, counts_of in answers]
    known = [Floor(name, miou) for name, miou in floors if miou is not None]
    return max(known, key=lambda floor: floor.miou) if known else None


def _checked(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.asarray(truth)
    if counts.ndim != 1 or not counts.size or not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0:
        raise EvaluationError(
            f"The labelled pixels of classes are {counts.dtype} of shape {counts.shape}: give K counts, none below 0."
        )
    return counts.astype(np.int64)
