"""Class names to unit vectors: the one path that every model's text takes."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.text.cache import EmbeddingCache, tower_digest
from ovrisisbench.adapters.text.templates import fill
from ovrisisbench.adapters.text.tokens import tokenise

__all__ = ["TextEncoder", "mean_direction"]

_BATCH = 64
"""Prompts that go through the tower at once; more are no faster on a CPU, and memory stays small for any vocabulary."""


class TextEncoder:
    """A text tower with a set of templates.

    Args:
        tower: the tower, in evaluation mode; its weights must not change afterwards.
        templates: P prompts with ``{}`` for the name.
        cache: where embeddings are kept between processes; None for nowhere.
    """

    def __init__(self, tower: CLIPTextTower, templates: Sequence[str], *, cache: EmbeddingCache | None = None) -> None:
        self._tower = tower
        self._templates = tuple(templates)
        self._cache = cache
        self._digest: str | None = None

    @torch.no_grad()
    def embed(self, names: Sequence[str]) -> Tensor:
        """Return the unit vectors (N, P, C) of N names in P templates, float32.

        They are computed in float64 and rounded once, whatever the precision
        around the call: text is encoded once for each vocabulary, its rounding
        would go into every pixel of every image, and so the same weights give
        the same vectors on every machine. Prompts are encoded in batches of
        similar length, each cut behind its longest prompt.

        Raises:
            AdapterError: a prompt of more than 77 tokens.
        """
        device = self._tower.positional_embedding.device
        if self._cache is None:
            return self._encoded(names, device)
        self._digest = self._digest or tower_digest(self._tower)
        key = self._cache.key(self._digest, self._templates, names, device)
        found = self._cache.read(key)
        if found is None:
            found = self._encoded(names, device)
            self._cache.write(key, found)
        return found.to(device)

    def _encoded(self, names: Sequence[str], device: torch.device) -> Tensor:
        prompts = [fill(template, name) for name in names for template in self._templates]
        tokens = tokenise(prompts)
        order = tokens.argmax(dim=-1).argsort(stable=True)  # by length: the end token has the largest id
        tower = copy.deepcopy(self._tower).double()
        with torch.autocast(device.type, enabled=False):
            parts = [F.normalize(tower(tokens[rows].to(device)), dim=-1).float() for rows in order.split(_BATCH)]
        vectors = torch.cat(parts)[order.argsort().to(device)]
        return vectors.unflatten(0, (len(names), len(self._templates)))


def mean_direction(vectors: Tensor, dim: int) -> Tensor:
    """Return the normalised mean of unit vectors along an axis: how templates and synonyms are averaged."""
    return F.normalize(vectors.mean(dim), dim=-1)
