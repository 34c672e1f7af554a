"""The learning rate over the steps of a training, as a share of its start."""

from __future__ import annotations

import math

from ovrisisbench.adapter.recipe import Recipe

__all__ = ["rate_factor"]


def rate_factor(iteration: int, recipe: Recipe) -> float:
    """Return by what the learning rate is multiplied in step ``iteration``, counted from 0."""
    share = iteration / recipe.iterations
    factors: dict[str, float] = {
        "cosine": 0.5 * (1.0 + math.cos(math.pi * share)),
        "polynomial": (1.0 - share) ** recipe.power,
        "constant": 1.0,
    }
    factor = factors[recipe.schedule]
    if iteration >= recipe.warmup:
        return factor
    reached = iteration / recipe.warmup
    return factor * (recipe.warmup_factor * (1.0 - reached) + reached)
