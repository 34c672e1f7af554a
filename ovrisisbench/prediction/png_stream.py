"""A PNG of class indices, written row by row, so that no picture is too high for the memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PalettePngWriter"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PALETTE: Final = 3
_EIGHT_BITS: Final = 8
_SEE_THROUGH: Final = 255


class PalettePngWriter:
    """Writes an 8-bit palette PNG (ISO/IEC 15948), every row unfiltered.

    Args:
        stream: open for writing.
        width: pixels.
        height: pixels.
        colours: red, green, blue of each index; 255, which means no data, is see-through.
    """

    def __init__(self, stream: BinaryIO, width: int, height: int, colours: Sequence[tuple[int, int, int]]) -> None:
        self._stream = stream
        self._deflate = zlib.compressobj(6)
        stream.write(_SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, _EIGHT_BITS, _PALETTE, 0, 0, 0))
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(colours)] = np.asarray(colours, np.uint8).reshape(-1, 3)
        self._chunk(b"PLTE", palette.tobytes())
        self._chunk(b"tRNS", bytes([255] * _SEE_THROUGH + [0]))

    def write(self, labels: NDArray[np.uint8]) -> None:
        """Append (h, width) uint8 rows."""
        rows = np.zeros((labels.shape[0], labels.shape[1] + 1), np.uint8)  # the first byte of a row: no filter
        rows[:, 1:] = labels
        self._data(self._deflate.compress(rows.tobytes()))

    def finish(self) -> None:
        """Write what is left; the stream stays open."""
        self._data(self._deflate.flush())
        self._chunk(b"IEND", b"")

    def _data(self, content: bytes) -> None:
        if content:
            self._chunk(b"IDAT", content)

    def _chunk(self, name: bytes, content: bytes) -> None:
        self._stream.write(struct.pack(">I", len(content)) + name + content)
        self._stream.write(struct.pack(">I", zlib.crc32(name + content)))
