"""A large TIFF, decoded a few strips at a time.

TIFF stores a picture as strips of rows that are compressed one by one. The
strips that a rectangle needs are put behind a header of their own, as a small
TIFF that Pillow decodes: so all its compressions work, and a tile of
6000x6000 pixels never lies in memory whole.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, Final

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

__all__ = ["StripedTiff", "is_striped"]

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _BANDS, _ROWS, _COUNTS, _PLANAR, _PREDICTOR, _TILE_WIDTH, _EXTRA = 273, 277, 278, 279, 284, 317, 322, 338
_PREMULTIPLIED, _STRAIGHT = 1, 2
_SHORT, _LONG = 3, 4
_COPIED: Final = (_BITS, _COMPRESSION, _PHOTOMETRIC, _BANDS, _PREDICTOR, _EXTRA)
"""Tags that a part of the picture shares with the whole."""
_COMPRESSIONS: Final = frozenset({1, 5, 8, 32773, 32946})
"""None, LZW, Deflate (two numbers), PackBits: each strip can be decoded without the others."""
_NOT_COMPRESSED: Final = 1
_STRIP_BYTES: Final = 2**18
"""Size of the strips that one large strip without compression is cut into."""
_LEAST_PIXELS: Final = 2**22
"""Smaller pictures are decoded whole."""


def is_striped(image: Image.Image) -> bool:
    """Tell whether a picture that was opened, but not loaded, can be read by :class:`StripedTiff`, and is worth it."""
    if not isinstance(image, TiffImageFile) or image.width * image.height < _LEAST_PIXELS:
        return False
    tags = image.tag_v2
    return (
        image.mode in ("RGB", "RGBA", "L")
        and set(tags.get(_BITS, ())) == {8}
        and tags.get(_COMPRESSION) in _COMPRESSIONS
        and tags.get(_PLANAR, 1) == 1
        and tags.get(_FILL_ORDER, 1) == 1
        and _TILE_WIDTH not in tags
        and len(tags.get(_OFFSETS, ())) == len(tags.get(_COUNTS, ()))
        and (len(tags[_COUNTS]) > 1 or tags[_COMPRESSION] == _NOT_COMPRESSED)
    )


class StripedTiff:
    """The part of Pillow's interface that reading rectangles needs, without the whole picture in memory.

    Args:
        image: one that :func:`is_striped` accepts.
        stream: its file, which must stay open.
    """

    def __init__(self, image: Image.Image, stream: BinaryIO) -> None:
        assert isinstance(image, TiffImageFile)  # noqa: S101 - is_striped was asked
        self.width, self.height, self.mode = image.width, image.height, image.mode
        self._stream = stream
        tags = image.tag_v2
        self._tags = {tag: _numbers(tags[tag]) for tag in _COPIED if tag in tags}
        if self._tags.get(_EXTRA) == [_PREMULTIPLIED]:
            self._tags[_EXTRA] = [_STRAIGHT]  # nothing was multiplied in: it is a band like the others
        self._rows = min(int(tags.get(_ROWS, self.height)), self.height)
        self._strips = list(zip(tags[_OFFSETS], tags[_COUNTS], strict=True))
        if len(self._strips) == 1:
            self._cut_up(self._strips[0][0], row_bytes=self.width * self._tags.get(_BANDS, [1])[0])
        self._kept: tuple[int, int, Image.Image] | None = None

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """Return a rectangle (x0, y0, x1, y1); the rows decoded last are kept, since neighbours ask for the same.

        Raises:
            OSError: the strips are damaged or cut off.
        """
        x0, y0, x1, y1 = box
        first, last = y0 // self._rows, -(-y1 // self._rows)
        if self._kept is None or not (self._kept[0] <= first and last <= self._kept[1]):
            self._kept = None  # freed before the next rows are decoded
            self._kept = (first, last, self._decode(first, last))
        start = self._kept[0] * self._rows
        return self._kept[2].crop((x0, y0 - start, x1, y1 - start))

    def _cut_up(self, offset: int, *, row_bytes: int) -> None:
        """Make many strips of one that is not compressed."""
        self._rows = max(1, _STRIP_BYTES // row_bytes)
        starts = range(0, self.height, self._rows)
        counts = ((min(start + self._rows, self.height) - start) * row_bytes for start in starts)
        self._strips = [(offset + start * row_bytes, count) for start, count in zip(starts, counts, strict=True)]

    def _decode(self, first: int, last: int) -> Image.Image:
        strips = []
        for offset, count in self._strips[first:last]:
            self._stream.seek(offset)
            content = self._stream.read(count)
            if len(content) < count:
                raise OSError("the file ends before its last strip")
            strips.append(content)
        rows = min(last * self._rows, self.height) - first * self._rows
        part = Image.open(io.BytesIO(self._small_tiff(strips, rows)), formats=("TIFF",))
        part.load()
        return part

    def _small_tiff(self, strips: list[bytes], rows: int) -> bytes:
        offsets, end = [], 8
        for strip in strips:
            offsets.append(end)
            end += len(strip)
        end += end % 2
        entries = {
            **{tag: (_SHORT, values) for tag, values in self._tags.items()},
            _WIDTH: (_LONG, [self.width]),
            _LENGTH: (_LONG, [rows]),
            _ROWS: (_LONG, [self._rows]),
            _OFFSETS: (_LONG, offsets),
            _COUNTS: (_LONG, [len(strip) for strip in strips]),
        }
        directory, behind = [], b""
        start = end + 2 + 12 * len(entries) + 4
        for tag, (kind, values) in sorted(entries.items()):
            content = struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
            if len(content) > 4:
                place = struct.pack("<I", start + len(behind))
                behind += content + b"\0" * (len(content) % 2)
            else:
                place = content.ljust(4, b"\0")
            directory.append(struct.pack("<HHI", tag, kind, len(values)) + place)
        head = struct.pack("<2sHI", b"II", 42, end)
        body = head + b"".join(strips)
        return body.ljust(end, b"\0") + struct.pack("<H", len(entries)) + b"".join(directory) + b"\0\0\0\0" + behind


def _numbers(value: object) -> list[int]:
    return [int(number) for number in value] if isinstance(value, tuple) else [int(str(value))]
