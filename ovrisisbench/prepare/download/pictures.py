"""Picture files, handed out in rectangles.

Pillow holds a decoded RGB picture at 4 bytes a pixel. Rectangles are
converted one at a time, so that no second copy of a large scene exists; a
large TIFF is decoded a few strips at a time.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.perceptual_hash import perceptual_hash
from ovrisisbench.prepare.download.sources import Entry
from ovrisisbench.prepare.download.striped_tiff import StripedTiff, is_striped
from ovrisisbench.prepare.windows import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_PIXELS", "Picture", "UnusableFileError", "open_picture", "pack_colour", "picture_size", "unpack_colour"]

MAX_PIXELS: Final = 2**28
"""Largest picture that is decoded (1 GiB in memory); the longest side of any known image is 13,383 pixels."""

_FORMATS: Final = ("PNG", "BMP", "TIFF", "JPEG")
_BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, zipfile.BadZipFile)
"""What Pillow and zipfile raise on damaged files."""
_SAMPLES_PER_PIXEL: Final = 277
"""TIFF tag: number of bands."""


class UnusableFileError(DataError):
    """One file that is damaged or does not fit its partner, while the others may be right."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture of 8 bits a band."""

    entry: Entry
    decoded: Image.Image | StripedTiff
    file_format: str
    """As the content says, whatever the ending: ``PNG``, ``BMP``, ``TIFF``, ``JPEG``."""
    extra_bands: int = 0
    """Bands behind the first three, which are dropped."""

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
        return f"{self.extra_bands} more band(s), dropped" if self.extra_bands else _CONVERSIONS[self.mode]

    def rgb(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle as (h, w, 3) uint8: grey is repeated, palettes are looked up, other bands dropped."""
        crop = self._crop(box)
        if self.extra_bands:
            return np.asarray(crop)[..., :3]
        return np.asarray(crop if crop.mode == "RGB" else crop.convert("RGB"))

    def packed_rgb(self, box: Box) -> NDArray[np.uint32]:
        """Return a rectangle as (h, w) uint32, R + 256 G + 65536 B."""
        crop = self._crop(box)
        packed = (crop if crop.mode == "RGB" else crop.convert("RGB")).tobytes("raw", "RGBX")
        return np.frombuffer(packed, "<u4").reshape(box.height, box.width) & np.uint32(0xFFFFFF)

    def band(self, box: Box) -> NDArray[np.uint8]:
        """Return a rectangle of a one-band picture as (h, w) uint8; of a palette, the indices."""
        return np.asarray(self._crop(box))

    def perceptual_hash(self, box: Box) -> str | None:
        """Return the hash of what a rectangle shows, None if it is too flat; see :func:`perceptual_hash`."""
        if isinstance(self.decoded, Image.Image):
            return perceptual_hash(self.decoded, box)
        return perceptual_hash(self._crop(box))

    def _crop(self, box: Box) -> Image.Image:
        try:
            return self.decoded.crop((box.x0, box.y0, box.x1, box.y1))
        except OSError as error:  # of pictures that are decoded a few rows at a time
            raise UnusableFileError(f"{self.entry.path} is damaged or cut off ({error}); download it again.") from error


def pack_colour(colour: tuple[int, int, int]) -> int:
    """Return R + 256 G + 65536 B, as :meth:`Picture.packed_rgb` does."""
    red, green, blue = colour
    return red | green << 8 | blue << 16


def unpack_colour(packed: int) -> tuple[int, int, int]:
    """Return (R, G, B) of what :func:`pack_colour` returned."""
    return (packed & 255, packed >> 8 & 255, packed >> 16)


_KNOWN_BANDS: Final = 3
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
    with _opened(entry) as (image, _):
        return image.height, image.width


@contextmanager
def open_picture(entry: Entry, *, extra_bands: int = 0) -> Iterator[Picture]:
    """Decode a picture; its memory is freed on leaving.

    The orientation tag of cameras is not applied: masks follow the stored
    rows.

    Args:
        entry: the file.
        extra_bands: bands behind the first three that a TIFF is known to have; any other number is an error.

    Raises:
        UnusableFileError: not a picture, damaged or cut off.
        DataError: more than 8 bits a band, an unexpected number of bands, see-through, or too large.
    """
    with _opened(entry) as (image, stream):
        dropped = _bands_to_drop(entry, image, extra_bands)
        if is_striped(image):
            yield Picture(entry, StripedTiff(image, stream), str(image.format), dropped)
            return
        try:
            image.load()
        except _BROKEN as error:
            raise UnusableFileError(f"{entry.path} is damaged or cut off ({error}); download it again.") from error
        if not dropped and image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema() != (255, 255):
            raise DataError(f"{entry.path} has see-through pixels, which no image of this data set should have.")
        yield Picture(entry, image, str(image.format), dropped)


def _bands_to_drop(entry: Entry, image: Image.Image, expected: int) -> int:
    """Return how many bands of a TIFF lie behind the first three, which no Pillow mode tells."""
    if not isinstance(image, TiffImageFile):
        return 0
    bands = int(image.tag_v2.get(_SAMPLES_PER_PIXEL, 1))
    if bands <= _KNOWN_BANDS:
        return 0
    if bands != _KNOWN_BANDS + expected:
        raise DataError(
            f"{entry.path} has {bands} bands, and which of them are red, green and blue cannot be told; use the "
            "picture of three bands."
        )
    # A fourth band that is declared as alpha would be divided out of the others.
    image.tile = [tile._replace(args=_straight(tile.args)) for tile in image.tile]
    return expected


def _straight(args: tuple[object, ...] | str | None) -> tuple[object, ...] | str | None:
    if isinstance(args, tuple):
        return tuple("RGBA" if arg == "RGBa" else arg for arg in args)
    return "RGBA" if args == "RGBa" else args


@contextmanager
def _opened(entry: Entry) -> Iterator[tuple[Image.Image, BinaryIO]]:
    with _seekable(entry) as stream:
        try:
            with _pixel_limit():
                image = Image.open(stream, formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise UnusableFileError(
                f"{entry.path} is no PNG, BMP, TIFF or JPEG picture, or is cut off; download it again."
            ) from error
        except Image.DecompressionBombError as error:
            raise DataError(f"{entry.path} is larger than the {MAX_PIXELS} pixels that are read.") from error
        except _BROKEN as error:
            raise UnusableFileError(f"{entry.path} is damaged or cut off ({error}); download it again.") from error
        try:
            _check_header(entry, image)
            yield image, stream
        finally:
            image.close()  # frees the pixels; leaving a "with image" would only close the file


@contextmanager
def _seekable(entry: Entry) -> Iterator[BinaryIO]:
    """Open a file; a TIFF inside a zip is put on the disk first.

    Pillow reads a TIFF here and there, and the whole of a compressed one into
    memory unless it is a real file.
    """
    with entry.open() as stream:
        unpacked = None if entry.member is None else _unpacked_tiff(entry, stream)
        if unpacked is None:
            yield stream
        else:
            with unpacked:
                yield unpacked


def _unpacked_tiff(entry: Entry, stream: BinaryIO) -> BinaryIO | None:
    """Return a temporary file with the content if it is a TIFF, None otherwise."""
    try:
        magic = stream.read(2)
        stream.seek(0)
        if magic not in (b"II", b"MM"):
            return None
        unpacked = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
        shutil.copyfileobj(stream, unpacked, 1 << 20)
    except _BROKEN as error:
        raise UnusableFileError(f"{entry.path} is damaged or cut off ({error}); download it again.") from error
    unpacked.seek(0)
    return unpacked


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
            warnings.simplefilter("ignore", UserWarning)  # on cut off files, which are an error of ours a moment later
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
