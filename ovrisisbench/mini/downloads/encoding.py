"""Picture files as the publishers write them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.catalog import DatasetCard
    from ovrisisbench.mini.styles import Style

__all__ = ["colour_mask", "id_mask", "jpeg", "palette_png", "png", "tiff"]


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the bytes of a PNG of (H, W) or (H, W, 3) uint8."""
    return _encoded(Image.fromarray(pixels), "PNG", compress_level=4)


def palette_png(ids: NDArray[np.uint8], colours: Sequence[Sequence[int]]) -> bytes:
    """Return the bytes of a palette PNG whose indices are ``ids``, (H, W)."""
    image = Image.frombytes("P", (ids.shape[1], ids.shape[0]), np.ascontiguousarray(ids).tobytes())
    image.putpalette([band for colour in colours for band in colour])
    return _encoded(image, "PNG", compress_level=4)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Return the bytes of a JPEG of (H, W, 3) uint8 in a camera's quality."""
    return _encoded(Image.fromarray(pixels), "JPEG", quality=92)


def tiff(pixels: NDArray[np.uint8]) -> bytes:
    """Return the bytes of an uncompressed TIFF of (H, W, 3) uint8."""
    return _encoded(Image.fromarray(pixels), "TIFF")


def id_mask(kinds: NDArray[np.uint8], style: Style, card: DatasetCard) -> NDArray[np.uint8]:
    """Return the publisher's ids, (H, W) uint8, for a map of kinds."""
    ids = [card.label(label).original_id for label in style.labels_of_kinds()]
    return np.array([0 if number is None else number for number in ids], np.uint8)[kinds]


def colour_mask(kinds: NDArray[np.uint8], style: Style, card: DatasetCard) -> NDArray[np.uint8]:
    """Return the publisher's class colours, (H, W, 3) uint8, for a map of kinds."""
    return np.array([card.label(label).colour for label in style.labels_of_kinds()], np.uint8)[kinds]


def _encoded(image: Image.Image, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()
