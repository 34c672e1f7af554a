"""Counting byte pairs without a compiler: small pair codes, then one bincount per chunk.

The chunk stays in the second-level cache; int64 maps of a whole large image
would cost several times more in page faults alone. Codes are made eight pixels
at a time by arithmetic on 64-bit words, and neighbouring pixels use four
separate ranges of codes, because raising one counter again and again is slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CodedTally"]

_CHUNK = 256 * 1024  # pixels
_LANES = 4  # 16-bit codes in a 64-bit word
_WORD = 8  # pixels in a 64-bit word
_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_EIGHT = np.uint64(8)
_INT16_CODES = 2**15


class CodedTally:
    """Counts of every (target byte, prediction byte), kept between images.

    Args:
        num_classes: K; pairs of known values (0..K-1, and 255 as target) take the short way,
            any others are counted too, only slower.
        bincount: whose bincount counts the codes; torch's is faster, but torch is slow to import.
    """

    def __init__(self, num_classes: int, bincount: Literal["numpy", "torch"]) -> None:
        self._num_classes = num_classes
        self._width = num_classes + 1
        self._codes_per_lane = self._width * self._width
        spread = _LANES * self._codes_per_lane <= _INT16_CODES
        self._lanes = _LANES if spread else 1
        self._lane_offsets = np.uint64(
            sum(lane * self._codes_per_lane << 16 * lane for lane in range(_LANES)) if spread else 0
        )
        self._bincount = _numpy_bincount if bincount == "numpy" else _torch_bincount
        self._pairs = np.zeros((256, 256), np.int64)
        self._rows = np.zeros(_CHUNK, np.uint8)
        self._columns = np.zeros(_CHUNK, np.uint8)
        self._codes = np.empty(_CHUNK // _LANES, np.uint64)
        self._part = np.empty(_CHUNK // _WORD, np.uint64)

    def add(self, target: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> None:
        """Count two contiguous rows of bytes of equal length."""
        known = np.zeros(self._lanes * self._codes_per_lane, np.int64)
        for start in range(0, target.size, _CHUNK):
            self._add_chunk(target[start : start + _CHUNK], prediction[start : start + _CHUNK], known)
        table = known.reshape(self._lanes, self._width, self._width).sum(axis=0)[:, : self._num_classes]
        self._pairs[255, : self._num_classes] += table[0]
        self._pairs[: self._num_classes, : self._num_classes] += table[1:]

    def _add_chunk(self, target: NDArray[np.uint8], prediction: NDArray[np.uint8], known: NDArray[np.int64]) -> None:
        size = target.size
        rows = self._rows[:size]
        # Bytes wrap around: the ignored 255 becomes row 0, class c becomes row c + 1.
        np.add(target, np.uint8(1), out=rows)
        if rows.max() > self._num_classes or prediction.max() >= self._num_classes:
            all_codes = 256 * target.astype(np.uint16) + prediction
            self._pairs += np.bincount(all_codes, minlength=256 * 256).reshape(256, 256)
            return
        self._columns[:size] = prediction
        words = -(-size // _WORD)
        spare = words * _WORD - size
        # The spare pixels of the last word are the pair (255, 0), taken back below.
        self._rows[size : size + spare] = 0
        self._columns[size : size + spare] = 0
        codes = self._make_codes(words)
        known += self._bincount(codes, known.size)
        for pixel in range(_WORD - spare, _WORD):
            known[pixel // 2 % self._lanes * self._codes_per_lane] -= 1

    def _make_codes(self, words: int) -> NDArray[np.uint16]:
        """Return ``row * width + column``, plus the offset of its lane, of every pixel of the chunk."""
        rows = self._rows[: words * _WORD].view(np.uint64)
        columns = self._columns[: words * _WORD].view(np.uint64)
        part = self._part[:words]
        codes = self._codes[: 2 * words]
        even, odd = codes[:words], codes[words:]
        np.bitwise_and(rows, _EVEN_BYTES, out=even)
        np.right_shift(rows, _EIGHT, out=odd)
        odd &= _EVEN_BYTES
        codes *= np.uint64(self._width)
        np.bitwise_and(columns, _EVEN_BYTES, out=part)
        even += part
        np.right_shift(columns, _EIGHT, out=part)
        part &= _EVEN_BYTES
        odd += part
        codes += self._lane_offsets
        return codes.view(np.uint16)

    def take(self, num_classes: int, ignore_index: int) -> tuple[NDArray[np.int64], int]:
        """Return and forget the (K, K) counts; the number is of known pixels, ignored ones included."""
        ignored = self._pairs[ignore_index]
        pixels = int(ignored.sum())
        ignored[:] = 0
        known = self._pairs[:num_classes, :num_classes]
        counts = known.copy()
        known[:] = 0
        return counts, pixels + int(counts.sum())

    def take_strays(self) -> NDArray[np.int64]:
        """Return and forget the (256, 256) counts of all pairs that :meth:`take` left."""
        pairs = self._pairs.copy()
        self._pairs[:] = 0
        return pairs


def _numpy_bincount(codes: NDArray[np.uint16], size: int) -> NDArray[np.int64]:
    return np.bincount(codes, minlength=size)


def _torch_bincount(codes: NDArray[np.uint16], size: int) -> NDArray[np.int64]:
    import torch

    signed = codes.view(np.int16) if size <= _INT16_CODES else codes.astype(np.int32)
    counts: NDArray[np.int64] = torch.bincount(torch.from_numpy(signed), minlength=size).numpy()
    return counts
