"""One picture that shows all eight mini data sets, each above its label map."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ovrisisbench.catalog import load_card
from ovrisisbench.errors import OvrisisBenchError
from ovrisisbench.mini.downloads.encoding import colour_mask
from ovrisisbench.mini.scene import draw_scene
from ovrisisbench.mini.styles import load_style

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mini_sheet", "picture_bytes"]

_SHOWN: Final = {
    "mini-dlrsd": "homes",
    "mini-isaid": "harbour",
    "mini-loveda": "river",
    "mini-potsdam": "homes",
    "mini-uavid": "homes",
    "mini-udd5": "centre",
    "mini-vaihingen": "homes",
    "mini-vdd": "centre",
}
"""Data set -> place that is shown."""
_COLUMNS: Final = 4
_CELL: Final = (192, 256)
"""Height and width of a picture on the sheet, pixels."""
_GAP: Final = 6
_HEAD: Final = 22


def mini_sheet(*, seed: int = 0) -> Image.Image:
    """Draw one scene of each mini data set above its label map in the publisher's colours.

    Args:
        seed: non-negative; another one draws other scenes.
    """
    height, width = _CELL
    step_x, step_y = width + _GAP, _HEAD + 2 * height + 2 * _GAP
    rows = -(-len(_SHOWN) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * step_x + _GAP, rows * step_y + _GAP), (250, 250, 248))
    draw = ImageDraw.Draw(sheet)
    for position, (key, place) in enumerate(_SHOWN.items()):
        style, card = load_style(key), load_card(key)
        scene = draw_scene(style, (5, seed, position), place=place)
        x = _GAP + position % _COLUMNS * step_x
        y = _GAP + position // _COLUMNS * step_y
        draw.text((x + 2, y + 2), card.title, fill=(40, 40, 40), font=ImageFont.load_default(14))
        for number, pixels in enumerate((scene.picture, colour_mask(scene.kinds, style, card))):
            sheet.paste(Image.fromarray(_middle(pixels)), (x, y + _HEAD + number * (height + _GAP // 2)))
    return sheet


def picture_bytes(picture: Image.Image, suffix: str) -> bytes:
    """Return a picture as the bytes of a file.

    Args:
        picture: what to write.
        suffix: ``.webp``, ``.png`` or ``.jpg``.

    Raises:
        OvrisisBenchError: another suffix.
    """
    kinds = {".webp": "WEBP", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
    if suffix.lower() not in kinds:
        raise OvrisisBenchError(f"A picture cannot be written as '{suffix}'; choose {', '.join(kinds)}.")
    stream = io.BytesIO()
    picture.save(stream, kinds[suffix.lower()], quality=84)
    return stream.getvalue()


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle of a picture, on a dark ground where it is smaller than a cell."""
    height, width = _CELL
    cell = np.full((height, width, 3), 28, np.uint8)
    y, x = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    part = pixels[max(y, 0) : max(y, 0) + height, max(x, 0) : max(x, 0) + width]
    top, left = max(-y, 0), max(-x, 0)
    cell[top : top + part.shape[0], left : left + part.shape[1]] = part
    return cell
