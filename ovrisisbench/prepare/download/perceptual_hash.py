"""A fingerprint of what a picture shows, which survives another file format, another size and a cut of a few pixels.

It is the published difference hash of 16 x 16 bits: the picture is shrunk to
17 x 16 grey values, and each bit says whether a value is brighter than the one
to its left. Hashes are compared by the number of bits that differ.

Measured on 123 windows (256 x 256 pixels) of four real scenes of iSAID and on
72 of six drawn ones; median and largest number of differing bits of 256:

=========================================  ==========  ==========
the same window                            real        drawn
=========================================  ==========  ==========
PNG, TIFF, BMP                             0, 0        0, 0
JPEG of quality 95                         2, 10       4, 18
JPEG of quality 90                         4, 14       6, 18
JPEG of quality 75                         5, 27       7, 20
one pixel cut off on two sides             7, 21       10, 17
two pixels cut off on two sides            13, 29      17, 27
the window 4 pixels further right          41, 57      46, 69
the window 8 pixels further right          76, 101     84, 126
=========================================  ==========  ==========

Other windows of the real scenes differ in about 127 bits. Over 2.4 million
pairs of windows of different scenes (192, 256, 384 and 512 pixels) the least
was 44, over 0.6 million of one scene that do not overlap 44 as well: rows of
parked buses. Overlapping windows, cut every 206 pixels, differ in 49 or more.
:data:`NEAR` lies between copies and others.

What it does not find: copies that were turned or mirrored, and other cuts of
the same place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from ovrisisbench.prepare.windows import Box

__all__ = ["HASH_BITS", "LEAST_STEPS", "NEAR", "perceptual_hash"]

_SIDE: Final = 16
HASH_BITS: Final = _SIDE * _SIDE
"""Length of a hash in bits."""

NEAR: Final = 32
"""Pictures whose hashes differ in at most so many bits count as near duplicates; see the figures above."""

LEAST_STEPS: Final = 64
"""So many of the 256 steps between neighbours must go up, and as many down; with fewer there is no hash."""


def perceptual_hash(picture: Image.Image, box: Box | None = None) -> str | None:
    """Return the hash of a picture, or of a rectangle of it.

    It depends on the pixels inside the rectangle alone, so a window has the
    same hash in its scene and as a file of its own. A large picture is not
    copied unless its bands have to be converted; a rectangle of it is.

    A picture whose shrunk version has fewer than :data:`LEAST_STEPS` steps up,
    or down, is too flat to be told from others: water, no-data, a single
    slope of light. Its bits would be ties and rounding.

    Args:
        picture: RGB, grey, palette, or with an alpha band, which is dropped.
        box: the rectangle; None for the whole.

    Returns:
        64 hex digits, rows from left to right; None for a flat picture.

    Example:
        >>> perceptual_hash(Image.new("RGB", (64, 64), (90, 90, 90))) is None
        True
    """
    part = picture
    if box is not None and (box.height, box.width) != (picture.height, picture.width):
        # Not resize(box=...): its filter reads beyond the rectangle, and up to 13 bits differ from the window's own.
        part = picture.crop((box.x0, box.y0, box.x1, box.y1))
    if part.mode not in ("RGB", "L"):
        part = part.convert("RGB")  # palettes cannot be averaged, and alpha would be multiplied in
    small = part.resize((_SIDE + 1, _SIDE), Image.Resampling.LANCZOS).convert("L")
    steps = np.diff(np.asarray(small, np.int16), axis=1)
    rises = steps > 0
    if min(np.count_nonzero(rises), np.count_nonzero(steps < 0)) < LEAST_STEPS:
        return None
    return np.packbits(rises).tobytes().hex()
