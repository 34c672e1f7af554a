"""Pairs of perceptual hashes that differ in few bits: all of them, by comparing every pair, in bounded memory.

Comparing everything takes a second or two for 25,000 by 25,000 hashes, and
unlike an index it cannot miss a pair or slow down when many are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["hash_words", "near_pairs"]

_WORDS: Final = 4  # of 64 bits each

_BLOCK_PAIRS: Final = 2**18
"""Pairs compared at a time; their 5 MiB stay in the cache of a processor core."""


def hash_words(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Return hashes of 64 hex digits as (n, 4) uint64.

    The order of the bytes inside a word is that of the machine, so words may be compared, but not stored.
    """
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, _WORDS)


def near_pairs(
    first: NDArray[np.uint64], second: NDArray[np.uint64] | None = None, *, distance: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Find all pairs of hashes that differ in at most ``distance`` bits.

    Args:
        first: (n, 4) from :func:`hash_words`.
        second: (m, 4); None compares ``first`` with itself, every pair once and nothing with itself.
        distance: bits, 0..256.

    Yields:
        Indices into ``first`` and ``second``, (k,) int64 each, a block at a time; blocks without a pair are left out.
    """
    rows = np.ascontiguousarray(first.T)
    columns = rows if second is None else np.ascontiguousarray(second.T)
    width = max(1, min(columns.shape[1], _BLOCK_PAIRS))
    height = max(1, _BLOCK_PAIRS // width)
    for top in range(0, rows.shape[1], height):
        for left in range(top if second is None else 0, columns.shape[1], width):
            one, other = _near_in_block(rows[:, top : top + height], columns[:, left : left + width], distance)
            one, other = one + top, other + left
            if second is None:
                upper = one < other
                one, other = one[upper], other[upper]
            if one.size:
                yield one, other


def _near_in_block(
    rows: NDArray[np.uint64], columns: NDArray[np.uint64], distance: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Up to 256 bits may differ, which a byte does not hold; the last word is added where the first three allow it.
    bits = np.bitwise_count(rows[0, :, None] ^ columns[0])
    for word in range(1, _WORDS - 1):
        bits += np.bitwise_count(rows[word, :, None] ^ columns[word])
    one, other = np.nonzero(bits <= distance)
    last = np.bitwise_count(rows[-1, one] ^ columns[-1, other])
    near = bits[one, other].astype(np.int64) + last <= distance
    return one[near], other[near]
