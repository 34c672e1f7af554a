"""Houses with ridged roofs, large flat-roofed buildings, mobile homes, tanks and sheds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ovrisisbench.mini.canvas import Colour
from ovrisisbench.mini.shapes import Point, disc, offset, placed, rectangle
from ovrisisbench.mini.stage import Stage
from ovrisisbench.mini.things.solids import Walls, lit_by, prism, walls

if TYPE_CHECKING:
    from ovrisisbench.mini.shapes import Outline

__all__ = ["block", "containers", "house", "mobile_home", "tank"]

_ROOFS = ("tiled roof", "slate roof", "shingle roof")


def house(  # noqa: PLR0917 - each is one plain quantity
    stage: Stage, at: Point, length: float, width: float, angle: float, storeys: float = 2.0
) -> None:
    """A house under a gabled or hipped roof, its faces as bright as they lie to the sun."""
    rng = stage.rng
    name = str(rng.choice(_ROOFS, p=_shares(stage)))
    colour, wall = stage.colour(name), stage.colour("plaster wall")
    eaves = storeys * 2.8
    rise = width * 0.28
    hip = float(rng.choice([0.0, width * 0.42]))
    outline = rectangle(at, length, width, angle)
    chimney = offset(offset(at, angle, length * float(rng.uniform(-0.25, 0.25))), angle + 90, width * 0.12)
    fitting = stage.paint("roof fitting", "roof")
    dormer = rng.random() < 0.3

    def paint() -> None:
        walls(stage, outline, 0, eaves, wall=wall, kind="wall", on_wall=_windows(storeys))
        _ridged(stage, at, (length, width, angle), (eaves, rise, hip), colour, name)
        stage.canvas.fill(rectangle(chimney, 1.0, 0.9, angle), fitting, eaves + rise)
        if dormer:
            glass = stage.paint("skylight", "roof")
            for share in (-0.2, 0.15):
                spot = offset(offset(at, angle, length * share), angle + 90, -width * 0.25)
                stage.canvas.fill(rectangle(spot, 1.3, 1.1, angle), glass, eaves + rise / 2)

    stage.stand(at, eaves + rise, paint, shade=lambda: stage.cast(outline, eaves + rise * 0.55), takes=outline)


def block(  # noqa: PLR0917 - each is one plain quantity
    stage: Stage, at: Point, length: float, width: float, angle: float, storeys: float, *, roof: str | None = None
) -> None:
    """A large building with a flat roof, a parapet and things on it; or a hall with a ribbed metal roof."""
    rng = stage.rng
    name = roof or str(rng.choice(["flat roof", "gravel roof", "metal roof", "flat roof"]))
    colour = stage.colour(name)
    wall = stage.colour(str(rng.choice(["plaster wall", "brick wall", "plaster wall"])))
    top = storeys * 3.1
    outline = rectangle(at, length, width, angle)
    inner = rectangle(at, length - 1.0, width - 1.0, angle)
    rim, flat = (stage.paint(name, "roof", shade=shade, like=colour) for shade in (1.1, 1.0))
    things = _roof_things(stage, at, (length, width, angle))

    def paint() -> None:
        prism(stage, outline, 0, top, roof=rim, wall=wall, kind="wall", on_wall=_windows(storeys))
        stage.canvas.fill(inner, flat, top)
        if name == "metal roof":
            rib = stage.paint(name, "roof", shade=0.9, like=colour)
            for place in np.arange(-length / 2 + 1.5, length / 2 - 1, 3.0):
                strip = rectangle(offset(at, angle, float(place)), 0.7, width - 1.2, angle)
                stage.canvas.fill(strip, rib, top)
        for fitting, outline_of, height in things:
            if not stage.canvas.camera.is_oblique:
                stage.cast(outline_of, height)
            prism(stage, outline_of, top, top + height, roof=fitting, wall=(150, 150, 150), kind="roof")

    stage.stand(at, top, paint, shade=lambda: stage.cast(outline, top), takes=outline)


def mobile_home(stage: Stage, at: Point, angle: float) -> None:
    """A long, light mobile home with a low ridge."""
    length, width = float(stage.rng.uniform(13, 18)), float(stage.rng.uniform(4.6, 7.5))
    colour = stage.colour("mobile home")
    outline = rectangle(at, length, width, angle)

    def paint() -> None:
        walls(stage, outline, 0, 2.8, wall=colour, kind="mobile home")
        for side in (-1, 1):
            shade = lit_by(stage, _normal(angle, side), 0.1)
            face = rectangle(offset(at, angle + 90, side * width / 4), length, width / 2, angle)
            stage.canvas.fill(face, stage.paint("mobile home", "mobile home", shade=shade, like=colour), 3.0, lit=True)
        seam = stage.paint("mobile home", "mobile home", shade=0.86, like=colour)
        stage.canvas.fill(rectangle(at, length, 0.35, angle), seam, 3.0)
        for share in (-0.3, 0.2):
            spot = offset(offset(at, angle, share * length), angle + 90, width * 0.2)
            stage.canvas.fill(rectangle(spot, 0.9, 0.8, angle), seam, 3.0)

    stage.stand(at, 3.0, paint, shade=lambda: stage.cast(outline, 3.0, 235), takes=outline)


def tank(stage: Stage, at: Point, radius: float) -> None:
    """A storage tank: a shaded cylinder with a rim, a stair and stains."""
    height = max(4.0, radius * float(stage.rng.uniform(0.5, 0.9)))
    colour = stage.colour("tank")
    outline = disc(at, radius, corners=40)
    floating = stage.rng.random() < 0.4
    turn = float(stage.rng.uniform(0, 360))
    rim, deck, low = (stage.paint("tank", "tank", shade=s, like=colour) for s in (1.04, 0.94, 0.8))

    def paint() -> None:
        prism(stage, outline, 0, height, roof=rim, wall=colour, kind="tank", material="metal")
        if floating:
            stage.canvas.fill(disc(at, radius * 0.9), low, height)
            lit = (at[0] + stage.sun[0] * radius * 0.07, at[1] + stage.sun[1] * radius * 0.07)
            stage.canvas.fill(disc(lit, radius * 0.83), deck, height)
        else:
            for share, shade in ((0.92, 0.97), (0.6, 1.0), (0.22, 0.9)):
                stage.canvas.fill(
                    disc(at, radius * share), stage.paint("tank", "tank", shade=shade, like=colour), height
                )
            for spoke in range(0, 360, 45):
                line = rectangle(offset(at, turn + spoke, radius * 0.55), radius * 0.7, 0.22, turn + spoke)
                stage.canvas.fill(line, deck, height)
        stain = stage.paint("rust", "tank")
        spot = offset(at, turn, radius * 0.72)
        stage.canvas.fill(disc(spot, radius * 0.09, corners=8), stain, height)
        stair = rectangle(offset(at, turn + 140, radius * 0.97), radius * 0.2, radius * 0.4, turn + 140)
        stage.canvas.fill(stair, low, height)

    stage.stand(at, height, paint, shade=lambda: stage.cast(outline, height), takes=outline)


def containers(stage: Stage, at: Point, rows: int, columns: int, angle: float) -> None:
    """Shipping containers in rows: clutter to every data set."""
    for row in range(rows):
        for column in range(columns):
            if stage.rng.random() < 0.2:
                continue
            spot = offset(
                offset(at, angle, (column - (columns - 1) / 2) * 7.0), angle + 90, (row - (rows - 1) / 2) * 2.9
            )
            _container(stage, spot, angle)


def _container(stage: Stage, at: Point, angle: float) -> None:
    colour = stage.colour("container")
    outline = rectangle(at, 6.1, 2.5, angle)
    roof, rib = (stage.paint("container", "clutter", shade=shade, like=colour) for shade in (1.0, 0.85))

    def paint() -> None:
        prism(stage, outline, 0, 2.6, roof=roof, wall=colour, kind="clutter", material="metal")
        for place in (-2, -1, 0, 1, 2):
            stage.canvas.fill(rectangle(offset(at, angle, place * 1.1), 0.25, 2.3, angle), rib, 2.6)

    stage.stand(at, 2.6, paint, shade=lambda: stage.cast(outline, 2.6), takes=outline)


def _ridged(  # noqa: PLR0917 - each is one plain quantity
    stage: Stage,
    at: Point,
    size: tuple[float, float, float],
    heights: tuple[float, float, float],
    colour: Colour,
    name: str,
) -> None:
    """Paint the faces of a gabled roof, or of a hipped one whose ridge is ``hip`` metres shorter at each end."""
    length, width, angle = size
    eaves, rise, hip = heights
    over = 0.35
    half, side = length / 2 + over, width / 2 + over
    ridge = max(half - max(hip, 0.0), 0.4)
    corners = np.array([(-half, -side), (half, -side), (half, side), (-half, side), (-ridge, 0.0), (ridge, 0.0)])
    a, b, c, d, left, right = placed(corners, at, 1, 1, angle)
    faces: list[tuple[tuple[Any, ...], tuple[float, float], int]] = [
        ((a, b, right, left), _normal(angle, -1), 2),
        ((d, c, right, left), _normal(angle, 1), 2),
    ]
    if hip:
        faces += [((b, c, right), _along(angle, 1), 1), ((d, a, left), _along(angle, -1), 1)]
    for points, normal, above in faces:
        shade = lit_by(stage, normal, 0.2)
        lifted = np.array([eaves] * (len(points) - above) + [eaves + rise] * above)
        stage.canvas.fill(np.array(points), stage.paint(name, "roof", shade=shade, like=colour), lifted, lit=True)
        # Courses of tiles, as thin darker lines along the eaves.
        if above == 2 and width > 7:
            course = stage.paint(name, "roof", shade=shade * 0.93, like=colour)
            lower, upper = np.array(points[:2]), np.array(points[:1:-1])
            for share in (0.25, 0.5, 0.75):
                low = lower + (upper - lower) * share
                high = lower + (upper - lower) * (share + 0.07)
                level = np.array([eaves + rise * share] * 4)
                stage.canvas.fill(np.concatenate([low, high[::-1]]), course, level)
    cap = stage.paint(name, "roof", shade=1.15, like=colour)
    stage.canvas.fill(rectangle(at, 2 * ridge, 0.4, angle), cap, eaves + rise)


def _roof_things(stage: Stage, at: Point, size: tuple[float, float, float]) -> list[tuple[int, Outline, float]]:
    """Choose machines and skylights for a flat roof: paint, outline, height."""
    length, width, angle = size
    found = []
    for _ in range(int(length * width / 110) + 1):
        along = float(stage.rng.uniform(-0.38, 0.38)) * length
        across = float(stage.rng.uniform(-0.34, 0.34)) * width
        spot = offset(offset(at, angle, along), angle + 90, across)
        wide, deep = float(stage.rng.uniform(1.4, 4.0)), float(stage.rng.uniform(1.2, 2.6))
        glass = stage.rng.random() < 0.3
        paint = stage.paint("skylight" if glass else "roof fitting", "roof")
        found.append((paint, rectangle(spot, wide, deep, angle), 0.3 if glass else 1.6))
    return found


def _windows(storeys: float) -> Walls:
    """Return what paints rows of windows and a door on a wall."""
    count = max(1, round(storeys))

    def on_wall(stage: Stage, corners: Outline, base: float, top: float, shade: float) -> None:
        length = float(np.linalg.norm(corners[1] - corners[0]))
        step = (top - base) / count
        per_row = max(1, int(length // 3.0))
        glass = stage.paint("glass", "wall", shade=shade)
        for row in range(count):
            low, high = base + (row + 0.3) * step, base + (row + 0.76) * step
            for column in range(per_row):
                shares = ((column + 0.28) / per_row, (column + 0.72) / per_row)
                first, second = (corners[0] + (corners[1] - corners[0]) * share for share in shares)
                quad = np.array([first, second, second, first])
                stage.canvas.fill(quad, glass, np.array([low, low, high, high]))

    return on_wall


def _shares(stage: Stage) -> tuple[float, float, float]:
    # Roofs of one neighbourhood are alike: the sun's direction is as good as any number of the scene.
    lean = math.sin(stage.sun[0] * 9.0)
    return (0.5, 0.25, 0.25) if lean > 0 else (0.2, 0.35, 0.45)


def _normal(angle: float, side: int = 1) -> tuple[float, float]:
    turn = math.radians(angle + 90 * side)
    return math.cos(turn), math.sin(turn)


def _along(angle: float, side: int) -> tuple[float, float]:
    turn = math.radians(angle + (0 if side > 0 else 180))
    return math.cos(turn), math.sin(turn)
