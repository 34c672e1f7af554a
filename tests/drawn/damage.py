"""What goes wrong with downloads, done to drawn ones."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Change = Callable[[Image.Image], Image.Image | np.ndarray]


def rewrite(root: Path, pattern: str, change: Change) -> int:
    """Change every picture whose path matches, under the same name and in the same format.

    Args:
        root: where to look.
        pattern: as for ``Path.rglob``.
        change: decoded picture -> picture, or its pixels.

    Returns:
        How many were changed, at least one.
    """
    paths = sorted(root.rglob(pattern))
    for path in paths:
        with Image.open(path) as image:
            image.load()
            changed, file_format = change(image), str(image.format)
        buffer = io.BytesIO()
        (Image.fromarray(changed) if isinstance(changed, np.ndarray) else changed).save(buffer, file_format)
        path.write_bytes(buffer.getvalue())
    assert paths, pattern
    return len(paths)


def shifted(steps: int) -> Change:
    """Add to every number, in 8 bits."""
    return lambda image: np.asarray(image) + np.array(steps % 256, np.uint8)


def renumbered(values: Sequence[int]) -> Change:
    """Write ``values[number]`` for each number; numbers beyond the end stay."""
    table = np.arange(256, dtype=np.uint8)
    table[: len(values)] = values
    return lambda image: table[np.asarray(image)]


def reversed_channels(image: Image.Image) -> np.ndarray:
    """Blue, green, red."""
    return np.asarray(image.convert("RGB"))[..., ::-1].copy()


def reordered(bands: Sequence[int]) -> Change:
    """Take the bands in another order."""
    return lambda image: np.asarray(image)[..., list(bands)].copy()


def to_grey(image: Image.Image) -> Image.Image:
    """Luminance."""
    return image.convert("L")


def to_colours(image: Image.Image) -> Image.Image:
    """A palette looked up."""
    return image.convert("RGB")


def put_in_place(root: Path, pattern: str, name: Callable[[Path], str]) -> None:
    """Overwrite every file that matches with another of the same tree.

    Args:
        root: where both lie.
        pattern: of the files that are overwritten.
        name: of the file that takes a file's place.
    """
    paths = sorted(root.rglob(pattern))
    found = [next(other for other in sorted(root.rglob(name(path))) if other != path) for path in paths]
    content = [other.read_bytes() for other in found]
    for path, pixels in zip(paths, content, strict=True):
        path.write_bytes(pixels)
    assert paths, pattern


def remove(root: Path, *patterns: str, first: bool = False) -> None:
    """Remove the files and folders that match, or only the first of each pattern."""
    for pattern in patterns:
        paths = sorted(root.rglob(pattern))
        assert paths, pattern
        for path in paths[:1] if first else paths:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def cut_off(root: Path, pattern: str) -> str:
    """Keep half of the first file that matches, and return its path below ``root``."""
    path = min(root.rglob(pattern))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path.relative_to(root).as_posix()
