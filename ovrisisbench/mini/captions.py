"""Captions in varied words, told true or false of a picture by what is visible in it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from ovrisisbench.catalog.yaml_files import CatalogModel, installed_files, load_yaml
from ovrisisbench.mini.kinds import KINDS

__all__ = ["Captions", "load_captions"]

_IN_PAIRS = 0.3
"""Share of captions that name two things."""


class Captions(CatalogModel):
    """The words of the mini world and the sentences they stand in."""

    format: int
    sentences: tuple[str, ...]
    """With one place for a word."""
    pairs: tuple[str, ...]
    """With two."""
    words: dict[str, tuple[str, ...]]
    """Word -> the kinds that it names."""

    @model_validator(mode="after")
    def _kinds_exist(self) -> Captions:
        unknown = {kind for kinds in self.words.values() for kind in kinds} - set(KINDS)
        if unknown:
            raise ValueError(f"unknown kinds: {', '.join(sorted(unknown))}")
        if any(sentence.count("{}") != 1 for sentence in self.sentences):
            raise ValueError("a sentence has one place for a word")
        if any(sentence.count("{}") != 2 for sentence in self.pairs):
            raise ValueError("a pair has two places for words")
        return self

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[str], NDArray[np.bool_]]:
        """Draw captions, every word as often as any other.

        Returns:
            Captions, and which words (count, words) bool each of them says.
        """
        names = list(self.words)
        said = np.zeros((count, len(names)), bool)
        captions = []
        for row in said:
            chosen = rng.choice(len(names), 2 if rng.random() < _IN_PAIRS else 1, replace=False)
            row[chosen] = True
            sentences = self.pairs if len(chosen) > 1 else self.sentences
            captions.append(str(rng.choice(sentences)).format(*(names[word] for word in chosen)))
        return captions, said

    def visible(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the share of the pixels that each word names, (N, words).

        Args:
            shares: (N, kinds), in the order of :data:`~ovrisisbench.mini.KINDS`.
        """
        kinds = list(KINDS)
        names = np.zeros((len(kinds), len(self.words)), np.float32)
        for word, of in enumerate(self.words.values()):
            names[[kinds.index(kind) for kind in of], word] = 1
        return shares @ names


@cache
def load_captions() -> Captions:
    """Read the captions that come with the package.

    Raises:
        CatalogError: the file is damaged.
    """
    return load_yaml(installed_files("mini")["captions"], Captions)
