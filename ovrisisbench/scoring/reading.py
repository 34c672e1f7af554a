"""One file of predictions, decoded: numbers, colours or class scores."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Prediction", "PredictionKind", "read_prediction"]

PredictionKind = Literal["indices", "colours", "palette", "scores"]

MAX_PIXELS: Final = 2**30
"""Largest picture that is decoded."""
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, zipfile.BadZipFile, zlib.error)
"""What numpy, Pillow and zipfile raise on damaged files."""
_COLOURS: Final = ("RGB", "RGBA", "RGBX")
_NUMBERS: Final = ("1", "L", "I;16", "I;16B", "I;16L", "I")


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What one file holds."""

    form: str
    """Words for a record, such as ``PNG, indices``."""
    kind: PredictionKind
    values: NDArray[np.generic]
    """``indices`` and ``palette``: (H, W) integers. ``colours``: (H, W, 3) uint8. ``scores``: (C, h, w) floats."""
    palette: NDArray[np.uint8] | None = None
    """(256, 3): the colour of each index of a ``palette``."""


def read_prediction(path: Path) -> Prediction:
    """Decode a file of predictions.

    Args:
        path: ends in ``.png``, ``.tif``, ``.tiff``, ``.npz`` or ``.npy``.

    Raises:
        DataError: damaged, or holds neither a label map nor scores.
    """
    if path.suffix.lower() in (".npz", ".npy"):
        return _of_array(path, _read_array(path))
    return _read_picture(path)


def _read_array(path: Path) -> NDArray[np.generic]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except _BROKEN as error:
        raise DataError(f"{path} is damaged or no file of numpy arrays ({' '.join(str(error).split())}).") from error
    return _chosen(path, arrays)


def _chosen(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.generic]:
    named = [name for name in ("labels", "scores") if name in arrays]
    if len(named) == 1:
        return arrays[named[0]]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    found = ", ".join(sorted(arrays)) or "none"
    raise DataError(
        f"{path} holds the arrays {found}, and which of them is the prediction cannot be told; name a label map "
        "'labels', or class scores 'scores'."
    )


def _of_array(path: Path, array: NDArray[np.generic]) -> Prediction:
    ending = path.suffix[1:].upper()
    if array.ndim == 2 and np.issubdtype(array.dtype, np.integer):
        return Prediction(f"{ending}, indices", "indices", array)
    if array.ndim == 2 and array.dtype == np.bool_:
        return Prediction(f"{ending}, indices", "indices", array.astype(np.uint8))
    if array.ndim == 3 and np.issubdtype(array.dtype, np.floating) and 0 not in array.shape:
        return Prediction(f"{ending}, scores", "scores", array)
    raise DataError(
        f"{path} holds an array of {array.dtype} and shape {array.shape}: give a label map (H, W) of integers, or "
        "class scores (K, h, w) of floats."
    )


def _read_picture(path: Path) -> Prediction:
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, on large and on cut-off files; what is wrong raises below
            with Image.open(path, formats=("PNG", "TIFF")) as picture:
                picture.load()
                return _of_picture(path, picture)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        if path.suffix.lower() == ".png" or isinstance(error, Image.DecompressionBombError):
            raise DataError(f"{path} is no PNG or TIFF picture, is cut off, or is too large.") from error
        return _read_by_rasterio(path)
    except _BROKEN as error:
        if path.suffix.lower() == ".png":
            raise DataError(f"{path} is damaged or cut off ({error}).") from error
        return _read_by_rasterio(path)
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _of_picture(path: Path, picture: Image.Image) -> Prediction:
    ending = "PNG" if path.suffix.lower() == ".png" else "TIFF"
    if picture.mode == "P":
        colours = np.zeros((256, 3), np.uint8)
        own = np.asarray(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
        colours[: len(own)] = own
        return Prediction(f"{ending}, palette", "palette", np.asarray(picture), colours)
    if picture.mode in _NUMBERS:
        numbers = np.asarray(picture)
        return Prediction(f"{ending}, indices", "indices", numbers.astype(np.uint8) if picture.mode == "1" else numbers)
    if picture.mode in _COLOURS:
        if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
            raise DataError(f"{path} has see-through pixels, so what it says there cannot be told; save it opaque.")
        return Prediction(f"{ending}, colours", "colours", np.asarray(picture.convert("RGB")))
    if ending == "TIFF":
        return _read_by_rasterio(path)
    raise DataError(f"{path} has bands '{picture.mode}': give one band of class indices, a palette, or RGB colours.")


def _read_by_rasterio(path: Path) -> Prediction:
    """Read a TIFF that Pillow does not know, such as one of signed integers or with a rare compression."""
    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
    except ImportError as error:
        raise DataError(
            f"{path} is damaged, or a TIFF of a kind that needs rasterio: install ovrisisbench[geo], or save it as PNG."
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as scene:
                bands: NDArray[np.generic] = scene.read()
    except RasterioError as error:
        raise DataError(f"{path} is damaged or no TIFF ({' '.join(str(error).split())}).") from error
    if len(bands) == 1 and np.issubdtype(bands.dtype, np.integer):
        return Prediction("TIFF, indices", "indices", bands[0])
    if len(bands) == 3 and bands.dtype == np.uint8:
        return Prediction("TIFF, colours", "colours", np.ascontiguousarray(bands.transpose(1, 2, 0)))
    if np.issubdtype(bands.dtype, np.floating):
        return Prediction("TIFF, scores", "scores", bands)
    raise DataError(f"{path} has {len(bands)} bands of {bands.dtype}: give one band of class indices, or RGB colours.")
