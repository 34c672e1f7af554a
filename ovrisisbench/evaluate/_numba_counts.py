"""Counting byte pairs with numba: one increment per pixel into four interleaved histograms.

Three things make it fast. Eight pixels are read as one 64-bit word, and their
16-bit pair codes are put together in two words at once. Neighbouring pixels go
to different histograms, since label maps come in runs of one pair and a counter
cannot be raised again before its last store is done. And the histograms start
an odd number of cache lines apart, else the four counters of one pair would
compete for the same places in the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.evaluate._kernels import compile_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NumbaTally"]

_HISTOGRAMS = 4
_CODES = 256 * 256
_PADDING = 13 * 16  # 13 cache lines of 16 counters

_WORD = 8  # pixels in one 64-bit word
_U64 = np.uint64
_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_CODE_MASK = np.uint64(0xFFFF)
_ONE = np.uint32(1)


@compile_kernel
def _count(
    target_words: NDArray[np.uint64],
    prediction_words: NDArray[np.uint64],
    target_rest: NDArray[np.uint8],
    prediction_rest: NDArray[np.uint8],
    tables: NDArray[np.uint32],
) -> None:
    """Count words of eight pixels, then the rest; a code is ``256 * target + prediction``."""
    first, second, third, fourth = tables[0], tables[1], tables[2], tables[3]
    for i in range(target_words.size):
        t = target_words[i]
        p = prediction_words[i]
        even = ((t & _EVEN_BYTES) << _U64(8)) | (p & _EVEN_BYTES)
        odd = (t & ~_EVEN_BYTES) | ((p >> _U64(8)) & _EVEN_BYTES)
        first[even & _CODE_MASK] += _ONE
        second[odd & _CODE_MASK] += _ONE
        third[(even >> _U64(16)) & _CODE_MASK] += _ONE
        fourth[(odd >> _U64(16)) & _CODE_MASK] += _ONE
        first[(even >> _U64(32)) & _CODE_MASK] += _ONE
        second[(odd >> _U64(32)) & _CODE_MASK] += _ONE
        third[even >> _U64(48)] += _ONE
        fourth[odd >> _U64(48)] += _ONE
    for i in range(target_rest.size):
        first[(_U64(target_rest[i]) << _U64(8)) | _U64(prediction_rest[i])] += _ONE


@compile_kernel
def _take(tables: NDArray[np.uint32], ignore_index: int, counts: NDArray[np.int64]) -> int:
    """Move the known pairs out of the tables; return how many pixels they were."""
    num_classes = counts.shape[0]
    pixels = 0
    for s in range(tables.shape[0]):
        table = tables[s]
        ignored = table[ignore_index * 256 : ignore_index * 256 + 256]
        for p in range(256):
            pixels += ignored[p]
            ignored[p] = 0
        for t in range(num_classes):
            pairs = table[t * 256 : t * 256 + num_classes]
            row = counts[t]
            for p in range(num_classes):
                row[p] += pairs[p]
                pixels += pairs[p]
                pairs[p] = 0
    return pixels


class NumbaTally:
    """Counts of every (target byte, prediction byte), kept between images."""

    def __init__(self) -> None:
        self._tables = np.zeros((_HISTOGRAMS, _CODES + _PADDING), np.uint32)

    def add(self, target: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> None:
        """Count two contiguous rows of bytes; fewer than 2**32 pixels between two takes."""
        whole = target.size - target.size % _WORD
        _count(
            _words(target[:whole]),
            _words(prediction[:whole]),
            target[whole:],
            prediction[whole:],
            self._tables,
        )

    def take(self, num_classes: int, ignore_index: int) -> tuple[NDArray[np.int64], int]:
        """Return and forget the (K, K) counts; the number is of known pixels, ignored ones included."""
        counts = np.zeros((num_classes, num_classes), np.int64)
        pixels = _take(self._tables, ignore_index, counts)
        return counts, int(pixels)

    def take_strays(self) -> NDArray[np.int64]:
        """Return and forget the (256, 256) counts of all pairs that :meth:`take` left."""
        pairs: NDArray[np.int64] = self._tables[:, :_CODES].sum(axis=0, dtype=np.int64)
        self._tables[:] = 0
        return pairs.reshape(256, 256)


def _words(row: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """View bytes as words, copying them where they do not start at a word's address."""
    words: NDArray[np.uint64] = row.view(np.uint64)
    if not words.flags.aligned:
        words = row.copy().view(np.uint64)
    return words
