"""Small pictures and label overlays of samples, as texts that a page can hold."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image

from ovrisisbench.catalog.cards import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ovrisisbench.catalog.cards import Colour

__all__ = ["Thumbnail", "make_thumbnail"]

_STEPS: Final = ((320, 80), (320, 60), (224, 60), (160, 60), (112, 50), (80, 40), (48, 40))
"""(long side in pixels, JPEG quality), tried in this order until both pictures are small enough."""


class Thumbnail(NamedTuple):
    """One sample, small."""

    picture: str
    """``data:`` URI of a JPEG."""
    overlay: str
    """``data:`` URI of a PNG of the same size: classes opaque in their colours, ignored pixels transparent."""
    width: int
    """Pixels."""
    height: int


def make_thumbnail(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], colours: Sequence[Colour], *, limit: int
) -> Thumbnail:
    """Shrink one sample; nothing is enlarged.

    Args:
        image: (H, W, 3) uint8, RGB.
        labels: (H, W) uint8, 0..K-1 and 255 = ignored.
        colours: (red, green, blue) of each class.
        limit: characters that both texts together should not exceed.
    """
    picture, overlay = Image.fromarray(image), Image.fromarray(labels)
    texts = ("", "")
    size = picture.size
    for side, quality in _STEPS:
        size = _fitted(picture.size, side)
        texts = (_jpeg(picture, size, quality), _png(overlay, size, colours))
        if len(texts[0]) + len(texts[1]) <= limit:
            break
    return Thumbnail(*texts, *size)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _jpeg(picture: Image.Image, size: tuple[int, int], quality: int) -> str:
    small = picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=quality, optimize=True)
    return _uri("image/jpeg", buffer)


def _png(labels: Image.Image, size: tuple[int, int], colours: Sequence[Colour]) -> str:
    # A label map has no values between its labels, so that one pixel stands for many.
    small = labels.resize(size, Image.Resampling.NEAREST)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(colours)] = colours
    small.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    small.save(buffer, "PNG", transparency=IGNORE_INDEX)
    return _uri("image/png", buffer)


def _uri(kind: str, buffer: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
