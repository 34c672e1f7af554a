"""Which picture comes when: an endless stream of random permutations, and every draw a function of its place in it.

A batch depends on the seed and on its number alone. It is the same after a
resumption, with any number of loading processes, and with any number of
training processes, among which the places are dealt out in turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["TrainingStream"]

_ORDER, _DRAWS, _STEP = 0, 1, 2
"""Kinds of generators that one seed gives."""


class TrainingStream:
    """The order of training.

    Args:
        count: pictures of the training set, at least 1.
        seed: any integer; only its value modulo 2**64 counts.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed % 2**64
        self._pass = -1
        self._permutation: NDArray[np.int64] = np.empty(0, np.int64)

    def picture(self, place: int) -> int:
        """Return which of the pictures, 0..count-1, stands at a place 0, 1, 2, ... of the stream."""
        number, within = divmod(place, self.count)
        if number != self._pass:
            self._pass, self._permutation = number, self._generator(_ORDER, number).permutation(self.count)
        return int(self._permutation[within])

    def generator(self, place: int) -> Generator:
        """Return the generator of all that is drawn for the picture at a place."""
        return self._generator(_DRAWS, place)

    def step_seed(self, iteration: int, rank: int) -> int:
        """Return the seed of what the network itself draws in a step, such as dropped paths."""
        state = np.random.SeedSequence([self.seed, _STEP, iteration, rank]).generate_state(1, np.uint64)
        return int(state[0]) % 2**63

    def places(self, iteration: int, batch: int, *, rank: int = 0, count: int = 1) -> Sequence[int]:
        """Return the places of one process's share of a batch.

        Args:
            iteration: number of the batch, from 0 on.
            batch: pictures of all processes together; ``count`` divides it.
            rank: number of the process.
            count: of processes.
        """
        return range(iteration * batch + rank, (iteration + 1) * batch, count)

    def _generator(self, kind: int, number: int) -> Generator:
        return np.random.default_rng([self.seed, kind, number])
