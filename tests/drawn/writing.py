"""Picture files and archives as the publishers write them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

RUBBISH = {"__MACOSX/._picture": b"mac", "Thumbs.db": b"windows", ".DS_Store": b"mac"}
"""What file managers leave in archives."""


def png(pixels: np.ndarray, palette: Sequence[Sequence[int]] | None = None) -> bytes:
    """The bytes of a PNG: (H, W) becomes grey, or palette indices where there is a palette; (H, W, 3) RGB."""
    image = Image.fromarray(pixels)
    if palette is not None:
        image = Image.frombytes("P", image.size, pixels.tobytes())
        image.putpalette([band for colour in palette for band in colour])
    return _encoded(image, "PNG", compress_level=1)


def jpeg(pixels: np.ndarray) -> bytes:
    """The bytes of a JPEG of good quality."""
    return _encoded(Image.fromarray(pixels), "JPEG", quality=95)


def decoded(content: bytes) -> np.ndarray:
    """The pixels of a picture file."""
    return np.asarray(Image.open(io.BytesIO(content)))


def tiff(pixels: np.ndarray) -> bytes:
    """The bytes of a TIFF: (H, W, 3) uint8 becomes RGB, (H, W) float32 one band of heights."""
    return _encoded(Image.fromarray(pixels), "TIFF")


def four_band_tiff(pixels: np.ndarray) -> bytes:
    """The bytes of a TIFF of (H, W, 4) uint8: RGB and one more band of unspecified meaning, in strips of 64 rows."""
    height, width, bands = pixels.shape
    strips = [pixels[row : row + 64].tobytes() for row in range(0, height, 64)]
    offsets = list(np.cumsum([8, *map(len, strips)])[:-1])
    short, long = 3, 4
    tags: list[tuple[int, int, list[int]]] = [
        (256, long, [width]), (257, long, [height]), (258, short, [8] * bands), (259, short, [1]), (262, short, [2]),
        (273, long, offsets), (277, short, [bands]), (278, long, [64]), (279, long, [len(strip) for strip in strips]),
        (284, short, [1]), (338, short, [0]),
    ]  # fmt: skip
    directory = 8 + sum(map(len, strips))
    outside = directory + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, kind, numbers in tags:
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == short else 'I'}", *numbers)
        if len(packed) > 4:
            place, values = struct.pack("<I", outside + len(values)), values + packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + place
    head = b"II*\0" + struct.pack("<I", directory)
    return head + b"".join(strips) + struct.pack("<H", len(tags)) + entries + b"\0" * 4 + values


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(members: Mapping[str, bytes], *, stored: bool = False) -> bytes:
    """The bytes of a zip, deflated or merely stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(
        buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED, compresslevel=1
    ) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write_zip(path: Path, members: Mapping[str, bytes], *, stored: bool = False) -> Path:
    """Write a zip with the given members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zipped(members, stored=stored))
    return path


def _encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()
