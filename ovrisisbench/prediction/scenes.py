"""Pictures of any size, read a few rows at a time.

TIFFs are read by rasterio where it is installed, and then strips or tiles at a
time. Everything else is read by Pillow: large striped TIFFs strip by strip,
PNG and JPEG whole, because their rows follow from those above.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, Protocol

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from ovrisisbench.errors import DataError
from ovrisisbench.prediction.georeference import Georeference
from ovrisisbench.prepare.download.striped_tiff import StripedTiff, is_striped

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rows", "Scene", "open_scene"]

MAX_PIXELS: Final = 2**30
"""Largest picture that Pillow decodes whole, 3 GiB."""
_GEO_TAGS: Final = (33550, 33922, 34264, 34735)
"""Pixel scale, tie points, transform and keys of a GeoTIFF."""
_BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError)


class Rows(NamedTuple):
    """Some rows of a picture."""

    pixels: NDArray[np.uint8]
    """(h, W, 3), RGB."""
    valid: NDArray[np.bool_]
    """(h, W): False where the picture has no data."""


class Scene(Protocol):
    """An open picture."""

    @property
    def height(self) -> int:
        """Rows, pixels."""
        ...

    @property
    def width(self) -> int:
        """Columns, pixels."""
        ...

    @property
    def georeference(self) -> Georeference | None:
        """Where it lies, if it says so."""
        ...

    def rows(self, y0: int, y1: int) -> Rows:
        """Read rows y0 to y1, end exclusive.

        Raises:
            DataError: the file is damaged.
        """
        ...


@contextmanager
def open_scene(path: Path, *, bands: Sequence[int] | None = None) -> Iterator[Scene]:
    """Open a picture for reading.

    Args:
        path: PNG, JPEG or TIFF, 8 bits a band.
        bands: numbers from 1 of the bands that are red, green and blue, for TIFFs; None for the first three.

    Raises:
        DataError: not such a picture, or a GeoTIFF where rasterio is not installed.
    """
    if not path.is_file():
        raise DataError(f"There is no picture {path}.")
    with path.open("rb") as stream:
        is_tiff = stream.read(4)[:2] in (b"II", b"MM")
    if is_tiff and _rasterio_is_there():
        with _rasterio_scene(path, bands) as scene:
            yield scene
        return
    if bands is not None:
        raise DataError(
            f"{path} is read by its colours, so --bands does not apply; it is for TIFFs, and needs ovrisisbench[geo]."
        )
    with path.open("rb") as stream, _opened(path, stream) as image:
        yield _PillowScene(path, image, stream)


def _rasterio_is_there() -> bool:
    try:
        import rasterio  # noqa: F401 - only whether it can be imported
    except ImportError:
        return False
    return True


@contextmanager
def _opened(path: Path, stream: BinaryIO) -> Iterator[Image.Image]:
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, on large and on cut-off files; what is wrong raises
            image = Image.open(stream, formats=("PNG", "JPEG", "TIFF"))
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is no PNG, JPEG or TIFF picture, is cut off, or is too large.") from error
    except _BROKEN as error:
        raise DataError(f"{path} is damaged or cut off ({error}).") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before
    with image:
        tags = getattr(image, "tag_v2", {})
        if any(tag in tags for tag in _GEO_TAGS):
            raise DataError(f"{path} is a GeoTIFF, which needs rasterio: install ovrisisbench[geo], or save it as PNG.")
        tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
        if image.mode not in ("RGB", "RGBA", "L", "LA", "P") or any(";16" in str(tile.args) for tile in tiles):
            raise DataError(
                f"{path} has bands '{image.mode}' or more than 8 bits a band; convert it to RGB of 8 bits a band."
            )
        yield image


class _PillowScene:
    def __init__(self, path: Path, image: Image.Image, stream: BinaryIO) -> None:
        self._path = path
        self._picture: Image.Image | StripedTiff = image
        self.height, self.width = image.height, image.width
        self.georeference: Georeference | None = None
        if is_striped(image):
            self._picture = StripedTiff(image, stream)
            return
        try:
            image.load()
        except _BROKEN as error:
            raise DataError(f"{path} is damaged or cut off ({error}).") from error
        if image.mode == "P" and "transparency" in image.info:
            self._picture = image.convert("RGBA")

    def rows(self, y0: int, y1: int) -> Rows:
        """See :meth:`Scene.rows`."""
        try:
            crop = self._picture.crop((0, y0, self.width, y1))
        except OSError as error:
            raise DataError(f"{self._path} is damaged or cut off ({error}).") from error
        valid = np.ones((y1 - y0, self.width), np.bool_)
        if crop.mode in ("RGBA", "LA"):
            valid = np.asarray(crop.getchannel("A")) > 0
        return Rows(np.array(crop.convert("RGB")), valid)


@contextmanager
def _rasterio_scene(path: Path, bands: Sequence[int] | None) -> Iterator[Scene]:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(path)
    except RasterioError as error:
        raise DataError(f"{path} is damaged or no TIFF ({' '.join(str(error).split())}).") from error
    with source:
        yield _RasterioScene(path, source, bands)


class _RasterioScene:
    def __init__(self, path: Path, source: Any, bands: Sequence[int] | None) -> None:  # noqa: ANN401 - rasterio has no types
        self._path = path
        self._source = source
        self.height, self.width = int(source.height), int(source.width)
        placed = source.crs is not None or not source.transform.is_identity
        self.georeference = Georeference(source.crs, source.transform) if placed else None
        count = int(source.count)
        self._bands = tuple(bands) if bands is not None else (1, 2, 3) if count >= 3 else (1,)
        if len(self._bands) not in (1, 3) or not all(1 <= band <= count for band in self._bands):
            raise DataError(f"{path} has {count} band(s); give one or three of their numbers, from 1, to --bands.")
        kinds = {source.dtypes[band - 1] for band in self._bands}
        if kinds != {"uint8"}:
            raise DataError(
                f"{path} has bands of {', '.join(sorted(kinds))}; scale it to 8 bits a band first, such as with "
                "'gdal_translate -ot Byte -scale'."
            )
        self._palette: NDArray[np.uint8] | None = None
        if count == 1 and source.colorinterp[0].name == "palette":
            table = source.colormap(1)
            self._palette = np.array([table.get(value, (0, 0, 0, 255))[:3] for value in range(256)], np.uint8)

    def rows(self, y0: int, y1: int) -> Rows:
        """See :meth:`Scene.rows`."""
        from rasterio.errors import RasterioError
        from rasterio.windows import Window

        window = Window(0, y0, self.width, y1 - y0)
        try:
            bands = self._source.read(self._bands, window=window)
            valid = self._source.dataset_mask(window=window) > 0
        except RasterioError as error:
            raise DataError(f"{self._path} is damaged or cut off ({' '.join(str(error).split())}).") from error
        if self._palette is not None:
            return Rows(self._palette[bands[0]], valid)
        pixels = np.repeat(bands, 3, axis=0) if len(bands) == 1 else bands
        return Rows(np.ascontiguousarray(pixels.transpose(1, 2, 0)), valid)
