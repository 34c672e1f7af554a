"""Two opinions about the class of each mask, in and out of the training vocabulary, become one score map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["class_scores", "cosine_logits", "map_of_scores"]

_TEMPERATURE = 100.0
"""Fixed; the temperature stored in CLIP's files is not used."""


def cosine_logits(features: Tensor, text: Tensor) -> Tensor:
    """100 times the cosine of features (N, D), of any length, and unit text vectors (K, D): (N, K) float32."""
    return _TEMPERATURE * F.normalize(features.float(), dim=-1) @ text.T


def class_scores(in_vocabulary: Tensor, out_of_vocabulary: Tensor, valid: Tensor, weight: float) -> Tensor:
    """Combine the opinions of queries and crops: the weighted geometric mean of their probabilities.

    With weight 0 the official code takes the *crops'* opinion alone, and only
    for the queries that have a crop. Otherwise a query without a crop counts as
    if its crop gave every class the probability 1. Where no query has a crop,
    the official code fails; these rules go on.

    Args:
        in_vocabulary: logits (Q, K + 1); the last column, "no object", is dropped behind the softmax.
        out_of_vocabulary: logits (R, K) of the R valid queries.
        valid: (Q,) bool.
        weight: exponent of the crops' probabilities, 0 to 1.

    Returns:
        (Q, K), not normalised.
    """
    inside = in_vocabulary.softmax(dim=-1)[:, :-1]
    place = (valid.cumsum(0) - 1).clamp(min=0)
    crops = out_of_vocabulary.softmax(dim=-1)
    outside = crops[place] if len(crops) else torch.ones_like(inside)
    if weight == 0:
        return torch.where(valid[:, None], outside, 0.0)
    outside = torch.where(valid[:, None], outside, 1.0)
    return inside ** (1 - weight) * outside**weight


def map_of_scores(scores: Tensor, probabilities: Tensor) -> Tensor:
    """Sum the masks, each weighted with its class scores.

    Args:
        scores: (Q, K).
        probabilities: (Q, h, w) mask probabilities.

    Returns:
        (K, h, w).
    """
    # Before any resize: with fewer classes than masks, one product here and a resize of K maps cost least.
    return (scores.T @ probabilities.flatten(1)).unflatten(1, probabilities.shape[1:])
