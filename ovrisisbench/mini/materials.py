"""What surfaces look like besides their colour: how uneven they are, at three scales, and in near infrared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MATERIALS", "Material", "infrared", "material_index", "material_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """How the brightness of a surface varies, as shares of it, and what its patches lean to."""

    grain: float = 0.0
    """From pixel to pixel."""
    mottle: float = 0.0
    """Over a few pixels."""
    patch: float = 0.0
    """Over some tens of pixels."""
    wave: float = 0.0
    """In ripples."""
    tint: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Colour that patches have more or less of, 0..255."""
    infrared: tuple[float, float] = (4.0, 0.92)
    """Near infrared is the first plus the second times the visible light, of which red counts most: paints and tiles
    that are bright in red are bright beyond it."""


MATERIALS: Final[dict[str, Material]] = {
    "plain": Material(grain=0.015),
    "metal": Material(grain=0.02, mottle=0.02, patch=0.015),
    "asphalt": Material(grain=0.045, mottle=0.035, patch=0.035, infrared=(2, 0.9)),
    "concrete": Material(grain=0.03, mottle=0.025, patch=0.03, tint=(2, 1, -2)),
    "roof": Material(grain=0.05, mottle=0.04, patch=0.015),
    "wall": Material(grain=0.03, mottle=0.03),
    "grass": Material(grain=0.075, mottle=0.06, patch=0.045, tint=(8, 3, -2), infrared=(62, 1.12)),
    "crops": Material(grain=0.055, mottle=0.05, patch=0.05, tint=(6, 3, -1), infrared=(60, 1.1)),
    "crown": Material(grain=0.13, mottle=0.13, patch=0.03, infrared=(58, 1.3)),
    "shrub": Material(grain=0.12, mottle=0.12, patch=0.05, tint=(6, 3, 1), infrared=(46, 1.05)),
    "soil": Material(grain=0.055, mottle=0.06, patch=0.05, tint=(6, 4, 1), infrared=(16, 1.02)),
    "sand": Material(grain=0.035, mottle=0.025, patch=0.03, tint=(3, 2, -2), infrared=(14, 1.0)),
    "water": Material(grain=0.02, mottle=0.015, patch=0.035, wave=0.03, tint=(-2, 3, 3), infrared=(8, 0.16)),
    "sea": Material(grain=0.02, mottle=0.02, patch=0.05, wave=0.06, tint=(-3, 4, 4), infrared=(8, 0.16)),
    "pool": Material(grain=0.02, mottle=0.035, wave=0.025, infrared=(10, 0.25)),
    "rubble": Material(grain=0.12, mottle=0.12, patch=0.05, tint=(5, 2, -2), infrared=(8, 0.95)),
}
"""Name -> material. The order gives a material its number."""

_INDEX: Final = {name: number for number, name in enumerate(MATERIALS)}


def material_index(name: str) -> int:
    """Return the number of a material."""
    return _INDEX[name]


def material_table(field: str) -> NDArray[np.float32]:
    """Return one field of all materials, (M,) or (M, n) float32."""
    return np.array([getattr(material, field) for material in MATERIALS.values()], np.float32)


def infrared(colours: NDArray[np.float32], materials: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the near infrared of paints, (P,) float32, from their colours (P, 3) and materials (P,)."""
    table = material_table("infrared")[materials]
    visible = 0.65 * colours[:, 0] + 0.35 * colours.mean(axis=1)
    found: NDArray[np.float32] = np.clip(table[:, 0] + table[:, 1] * visible, 0, 255).astype(np.float32)
    return found
