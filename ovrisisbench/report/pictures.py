"""What the pages show of an image: a small picture, and label and cost maps that a script can paint.

A label map travels as its bytes, deflated, in base64: the page then knows the
class of every pixel, and paints it in any colours. A PNG would hide that from
a page opened from the disk, whose pictures a script may not read.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIDE", "packed", "packed_costs", "shown_size", "small_labels", "small_picture"]

SIDE: Final = 480
"""Long side of pictures and label maps on the page, in pixels; nothing is enlarged."""
_QUALITY: Final = 82


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Return (height, width) on the page.

    Example:
        >>> shown_size(1200, 600), shown_size(256, 256)
        ((480, 240), (256, 256))
    """
    scale = min(1.0, SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def small_picture(image: NDArray[np.uint8]) -> bytes:
    """Return an image (H, W, 3) uint8 RGB as a WebP file of :func:`shown_size`."""
    height, width = shown_size(*image.shape[:2])
    picture = Image.fromarray(image)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return buffer.getvalue()


def small_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a label map (H, W) at :func:`shown_size`; one pixel stands for many, for labels have no mean."""
    height, width = shown_size(*labels.shape)
    rows = (np.arange(height) * 2 + 1) * labels.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * labels.shape[1] // (2 * width)
    return np.ascontiguousarray(labels[rows][:, columns])


def packed(values: NDArray[np.uint8]) -> str:
    """Return bytes deflated, in base64."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6)).decode("ascii")


def packed_costs(stages: Mapping[str, NDArray[np.float16]]) -> list[dict[str, Any]]:
    """Return the cost maps of one image for the page: 256 steps from the least to the greatest of each stage.

    Args:
        stages: stage -> (K, h, w).
    """
    content = []
    for name, maps in stages.items():
        values = maps.astype(np.float32)
        low, high = float(values.min()), float(values.max())
        steps = np.round((values - low) * (255 / (high - low) if high > low else 0.0)).astype(np.uint8)
        height, width = maps.shape[1:]
        content.append(
            {"name": name, "low": low, "high": high, "height": height, "width": width, "maps": packed(steps)}
        )
    return content
