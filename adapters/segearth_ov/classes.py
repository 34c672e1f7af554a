"""From cosines with query words to scores of classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.segearth_ov.config import LOGIT_SCALE

__all__ = ["Queries", "Threshold", "class_probabilities", "class_scores", "stretched"]


class Queries(NamedTuple):
    """The query words of a vocabulary, in the order of its classes."""

    vectors: Tensor
    """(N, C), unit-norm."""
    classes: tuple[int, ...]
    """The class of each, rising from 0; every class has one."""


class Threshold(NamedTuple):
    """Which pixels become which class (``prob_thd`` and ``bg_idx``)."""

    probability: float
    background: int


def stretched(cosines: Tensor, size: Sequence[int]) -> Tensor:
    """Stretch maps (N, h, w) bilinearly over an image of ``size``, (N, H, W)."""
    return F.interpolate(cosines[None], size=tuple(size), mode="bilinear", align_corners=False)[0]


def class_probabilities(cosines: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the official scores: a softmax over queries, of which each class has its best.

    A class does not collect what its queries have, and every query more takes
    something from all the others.

    Args:
        cosines: (N, H, W) at the size of the image.
        classes: the class of each query, rising.

    Returns:
        (K, H, W) in 0..1; the largest of a pixel is at least 1 / N.
    """
    return _best((LOGIT_SCALE * cosines).softmax(dim=0), classes)


def class_scores(cosines: Tensor, classes: Sequence[int], size: Sequence[int], threshold: Threshold | None) -> Tensor:
    """Give every class the cosine of its best query.

    The official code compares probabilities (see :func:`class_probabilities`);
    the softmax changes no order, so scores stay cosines here, whatever the
    vocabulary and the settings. The best query and the threshold must be found
    after stretching; where there is neither, the map keeps its resolution.

    Args:
        cosines: (N, h, w) of an image.
        classes: the class of each query, rising.
        size: (H, W) of the image.
        threshold: None for none. The background of pixels below it gets a score that is 1 above the best.

    Returns:
        (K, h, w), or (K, H, W) where a class has several queries or there is a threshold.
    """
    if threshold is None and len(set(classes)) == len(classes):
        return cosines.contiguous()
    cosines = stretched(cosines, size)
    scores = _best(cosines, classes)
    if threshold is not None:
        below = class_probabilities(cosines, classes).amax(dim=0) < threshold.probability
        background = scores[threshold.background]
        scores[threshold.background] = torch.where(below, scores.amax(dim=0) + 1, background)
    return scores


def _best(values: Tensor, classes: Sequence[int]) -> Tensor:
    """(N, H, W) of queries to (K, H, W) of classes."""
    counts = [len(list(queries)) for _, queries in groupby(classes)]
    return torch.stack([of_class.amax(dim=0) for of_class in values.split(counts)])
