"""What came out of a prediction: each class's share of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ClassArea", "PredictedScene", "class_areas"]


@dataclass(frozen=True, slots=True)
class ClassArea:
    """How much of the picture one class covers."""

    index: int
    """Value in the label map."""
    name: str
    colour: tuple[int, int, int]
    pixels: int
    share: float
    """Of the pixels with data, 0..1."""
    square_metres: float | None
    """None where the size of a pixel is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedScene:
    """A labelled picture."""

    labels: Path
    """The label map."""
    overlay: Path | None
    size: tuple[int, int]
    """(H, W) pixels."""
    windows: int
    """Windows that the model was given."""
    areas: tuple[ClassArea, ...]
    """In the order of the classes."""
    no_data: int
    """Pixels where the picture has no data."""
    pixel_area: float | None
    """Square metres of one pixel."""
    crs: str | None
    """Name of the reference system."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON-like content."""
        return {
            "format": 1,
            "labels": str(self.labels),
            "overlay": None if self.overlay is None else str(self.overlay),
            "height": self.size[0],
            "width": self.size[1],
            "windows": self.windows,
            "crs": self.crs,
            "pixel_area_m2": self.pixel_area,
            "no_data_pixels": self.no_data,
            "classes": [
                {
                    "index": area.index,
                    "name": area.name,
                    "colour": list(area.colour),
                    "pixels": area.pixels,
                    "share": area.share,
                    "square_metres": area.square_metres,
                }
                for area in self.areas
            ],
        }


def class_areas(
    class_names: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
    pixels: NDArray[np.int64],
    pixel_area: float | None,
) -> tuple[ClassArea, ...]:
    """Turn pixel counts into shares and square metres.

    Args:
        class_names: K names.
        colours: K colours.
        pixels: (K,) int64.
        pixel_area: square metres of one pixel, None where unknown.
    """
    total = int(pixels.sum())
    return tuple(
        ClassArea(
            index=index,
            name=name,
            colour=colours[index],
            pixels=int(pixels[index]),
            share=int(pixels[index]) / total if total else 0.0,
            square_metres=None if pixel_area is None else int(pixels[index]) * pixel_area,
        )
        for index, name in enumerate(class_names)
    )
