"""Picture files, decoded once and handed out in rectangles.

Pillow holds a decoded RGB picture at 4 bytes a pixel. Rectangles are
converted one at a time, so that no second copy of a large scene exists.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.sources import Entry
from ovrisisbench.prepare.windows import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_PIXELS", "Picture", "open_picture", "picture_size"]

MAX_PIXELS: Final = 2**28
"""Largest picture that is decoded (1 GiB in memory); the longest side of any known image is 13,383 pixels."""

_FORMATS: Final = ("PNG", "BMP", "TIFF", "JPEG")
_BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, zipfile.BadZipFile)
"""What Pillow and zipfile raise on damaged files."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture of 8 bits a band."""

    entry: Entry
    decoded: Image.Image
    file_format: str
    """As the content says, whatever the ending: ``PNG``, ``BMP``, ``TIFF``, ``JPEG``."""

    @property
    def height(self) -> int:
        """Rows, pixels."""
        return self.decoded.height

    @property
    def width(self) -> int:
        """Columns, pixels."""
        return self.decoded.width

    @property
    def mode(self) -> str:
        """Pillow's name for its bands: ``RGB``, ``L`` (grey or ids), ``P`` (palette), ``RGBA``, ``LA``."""
        return self.decoded.mode

    @property
    def conversion(self) -> str:
        """Words for what :meth:`rgb` has to do, empty where it hands out the bands as they are."""
        return _CONVERSIONS[self.mode]

    def rgb(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w, 3) uint8: grey is repeated, palettes are looked up, opaque alpha is dropped."""
        crop = self._crop(box)
        return np.asarray(crop if crop.mode == "RGB" else crop.convert("RGB"))

    def packed_rgb(self, box: Box) -> NDArray[np.uint32]:
        """Return a rectangle as (h, w) uint32, R + 256 G + 65536 B."""
        crop = self._crop(box)
        packed = (crop if crop.mode == "RGB" else crop.convert("RGB")).tobytes("raw", "RGBX")
        return np.frombuffer(packed, "<u4").reshape(box.height, box.width) & np.uint32(0xFFFFFF)

    def band(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle of a one-band picture as (h, w) uint8; of a palette, the indices."""
        return np.asarray(self._crop(box))

    def _crop(self, box: Box) -> Image.Image:
        return self.decoded.crop((box.x0, box.y0, box.x1, box.y1))


_CONVERSIONS: Final = {
    "RGB": "",
    "L": "one grey band, repeated three times",
    "P": "a palette, looked up",
    "RGBA": "an opaque alpha band, dropped",
    "LA": "one grey band, repeated three times",
}


def picture_size(entry: Entry) -> tuple[int, int]:
    """Return (height, width) in pixels from the header alone.

    Raises:
        DataError: not a picture, more than 8 bits a band, or too large.
    """
    with _opened(entry) as image:
        return image.height, image.width


@contextmanager
def open_picture(entry: Entry) -> Iterator[Picture]:
    """Decode a picture; its memory is freed on leaving.

    The orientation tag of cameras is not applied: masks follow the stored
    rows.

    Raises:
        DataError: not a picture, damaged or cut off, more than 8 bits a band,
            see-through, or too large.
    """
    with _opened(entry) as image:
        try:
            image.load()
        except _BROKEN as error:
            raise DataError(f"{entry.path} is damaged or cut off ({error}); download it again.") from error
        if image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema() != (255, 255):
            raise DataError(f"{entry.path} has see-through pixels, which no image of this data set should have.")
        yield Picture(entry, image, str(image.format))


@contextmanager
def _opened(entry: Entry) -> Iterator[Image.Image]:
    with entry.open() as stream:
        try:
            with _pixel_limit():
                image = Image.open(stream, formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise DataError(f"{entry.path} is no PNG, BMP, TIFF or JPEG picture; download it again.") from error
        except Image.DecompressionBombError as error:
            raise DataError(f"{entry.path} is larger than the {MAX_PIXELS} pixels that are read.") from error
        except _BROKEN as error:
            raise DataError(f"{entry.path} is damaged or cut off ({error}); download it again.") from error
        try:
            _check_header(entry, image)
            yield image
        finally:
            image.close()  # frees the pixels; leaving a "with image" would only close the file


def _check_header(entry: Entry, image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            f"{entry.path} has {image.height}x{image.width} pixels, more than the {MAX_PIXELS} that are read."
        )
    # Pillow opens 48-bit RGB as RGB and silently drops the low bytes; only the raw mode tells.
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    if ";16" in image.mode or any(";16" in str(tile.args) for tile in tiles) or image.mode in ("I", "F"):
        raise DataError(f"{entry.path} has more than 8 bits a band; the data set is published with 8.")
    if image.mode not in _CONVERSIONS:
        raise DataError(f"{entry.path} has bands '{image.mode}'; expected are RGB or one grey band of 8 bits.")


@contextmanager
def _pixel_limit() -> Iterator[None]:
    # Pillow warns at its limit and refuses at twice the limit; ours is checked exactly afterwards.
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
