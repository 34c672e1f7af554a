"""Where a picture lies on the ground, and how large its pixels are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Georeference"]

_WEB_MERCATOR: Final = 3857
"""Its metre is one at the equator only: areas at 50 degrees are 2.4 times too large."""


@dataclass(frozen=True, slots=True)
class Georeference:
    """Coordinate reference system and affine transform, as rasterio has them."""

    crs: Any
    """``rasterio.crs.CRS``, or None."""
    transform: Any
    """``affine.Affine`` from (column, row) to coordinates."""

    @property
    def crs_words(self) -> str | None:
        """Short name of the reference system, such as ``EPSG:32632``; None without one."""
        return None if self.crs is None else str(self.crs.to_string())

    @property
    def pixel_area(self) -> float | None:
        """Square metres of one pixel; None where coordinates are not lengths on the ground."""
        if self.crs is None or not self.crs.is_projected or self.crs.to_epsg() == _WEB_MERCATOR:
            return None
        metres = float(self.crs.linear_units_factor[1])
        return abs(float(self.transform.determinant)) * metres**2

    @property
    def area_note(self) -> str:
        """Why there are no square metres, empty where there are."""
        if self.pixel_area is not None:
            return ""
        if self.crs is not None and self.crs.to_epsg() == _WEB_MERCATOR:
            return "Web Mercator stretches areas, so there are no square metres; give --gsd, or reproject the picture."
        return "The coordinates of the picture are not in metres, so there are no square metres; give --gsd for them."
