"""Planes, helicopters and ships."""

from __future__ import annotations

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.shapes import Point, disc, offset, placed, rectangle
from ovrisisbench.mini.stage import Stage

__all__ = ["helicopter", "plane", "ship"]

_WING = ((0.14, 0.0), (0.1, -0.05), (-0.2, -0.5), (-0.29, -0.5), (-0.13, -0.05), (-0.13, 0.05), (-0.29, 0.5),
         (-0.2, 0.5), (0.1, 0.05))  # fmt: skip
_STRAIGHT_WING = ((0.1, -0.06), (0.07, -0.5), (-0.08, -0.5), (-0.1, -0.06), (-0.1, 0.06), (-0.08, 0.5), (0.07, 0.5),
                  (0.1, 0.06))  # fmt: skip
_TAIL = ((-0.36, 0.0), (-0.38, -0.03), (-0.48, -0.19), (-0.54, -0.19), (-0.49, 0.0), (-0.54, 0.19), (-0.48, 0.19),
         (-0.38, 0.03))  # fmt: skip
_BODY = ((0.5, 0.0), (0.47, -0.03), (0.41, -0.048), (-0.32, -0.048), (-0.45, -0.025), (-0.53, 0.0), (-0.45, 0.025),
         (-0.32, 0.048), (0.41, 0.048), (0.47, 0.03))  # fmt: skip
_HULL = ((-0.5, -0.4), (-0.46, -0.47), (0.05, -0.5), (0.3, -0.36), (0.44, -0.14), (0.5, 0.0), (0.44, 0.14), (0.3, 0.36),
         (0.05, 0.5), (-0.46, 0.47), (-0.5, 0.4))  # fmt: skip
_CABIN = ((0.34, 0.0), (0.28, -0.1), (0.12, -0.16), (-0.12, -0.15), (-0.24, -0.06), (-0.24, 0.06), (-0.12, 0.15),
          (0.12, 0.16), (0.28, 0.1))  # fmt: skip


def plane(stage: Stage, at: Point, angle: float, length: float) -> None:
    """An airliner with swept wings, or, under 16 metres, a small plane with straight ones."""
    canvas = stage.canvas
    white = stage.colour("plane")
    is_small = length < 16
    span = length * float(stage.rng.uniform(0.9, 1.08)) * (1.12 if is_small else 1.0)
    body = placed(_BODY, at, length, length * (1.35 if is_small else 1.0), angle)
    wing = placed(_STRAIGHT_WING if is_small else _WING, at, length, span, angle)
    tail = placed(_TAIL, at, length, length, angle)
    paints = [stage.paint("plane", "plane", shade=shade, like=white) for shade in (0.9, 0.86, 1.04, 0.76)]
    livery = stage.paint("livery", "plane")
    engine = stage.paint("engine", "plane")
    glass = stage.paint("windscreen", "plane")

    def shade() -> None:
        for outline, height in ((wing, 0.09), (tail, 0.12), (body, 0.08)):
            canvas.shadow(outline + np.array(stage.sun) * length * height)

    def paint() -> None:
        if not is_small:
            for side in (-1, 1):
                spots = (0.17, 0.31) if length > 44 else (0.19,)
                for share in spots:
                    spot = offset(offset(at, angle, length * (0.09 - share * 0.55)), angle + 90, side * span * share)
                    canvas.fill(rectangle(spot, length * 0.1, length * 0.045, angle), engine, lit=True)
        canvas.fill(wing, paints[0], lit=True)
        for side in (-1, 1):
            flap = offset(offset(at, angle, -length * 0.14), angle + 90, side * span * 0.22)
            canvas.fill(rectangle(flap, length * 0.03, span * 0.2, angle + side * -20), paints[3])
        canvas.fill(tail, paints[1], lit=True)
        canvas.fill(body, paints[2], lit=True)
        canvas.fill(rectangle(at, length * 0.78, length * 0.014, angle), paints[3])
        canvas.fill(rectangle(offset(at, angle, -length * 0.45), length * 0.13, length * 0.02, angle), livery)
        canvas.fill(rectangle(offset(at, angle, length * 0.45), length * 0.022, length * 0.05, angle), glass)

    stage.stand(at, length * 0.14, paint, shade=shade, takes=np.concatenate([body[:3], wing[2:4], wing[6:8]]))


def helicopter(stage: Stage, at: Point, angle: float, length: float = 14.0) -> None:
    """A helicopter with its boom and four blades."""
    canvas = stage.canvas
    colour = stage.colour("helicopter")
    turn = float(stage.rng.uniform(0, 90))
    cabin = placed(_CABIN, at, length, length, angle)
    boom = rectangle(offset(at, angle, -length * 0.36), length * 0.4, length * 0.07, angle)
    fin = rectangle(offset(at, angle, -length * 0.53), length * 0.07, length * 0.24, angle)
    blades = [rectangle(at, length * 0.98, length * 0.05, turn + part) for part in (0, 90)]
    paints = [stage.paint("helicopter", "helicopter", shade=shade, like=colour) for shade in (0.85, 1.05)]
    rotor, glass = stage.paint("rotor", "helicopter"), stage.paint("windscreen", "helicopter")

    def shade() -> None:
        for outline in (cabin, boom, fin, *blades):
            canvas.shadow(outline + np.array(stage.sun) * 2.4, 225)

    def paint() -> None:
        canvas.fill(boom, paints[0], lit=True)
        canvas.fill(fin, paints[0], lit=True)
        canvas.fill(cabin, paints[1], lit=True)
        canvas.fill(placed(_CABIN, offset(at, angle, length * 0.17), length * 0.3, length * 0.6, angle), glass)
        for blade in blades:
            canvas.fill(blade, rotor, lit=True)
        canvas.fill(disc(at, length * 0.05, corners=10), paints[0])

    stage.stand(at, 4.0, paint, shade=shade, takes=disc(at, length / 2, corners=8))


def ship(stage: Stage, at: Point, angle: float, length: float, *, sails: bool = False) -> None:
    """A boat or a ship with a pointed bow; a cargo ship above 45 metres, a wake behind one that sails."""
    canvas, rng = stage.canvas, stage.rng
    width = length * float(rng.uniform(0.24, 0.34)) * (0.72 if length > 30 else 1.0)
    hull, deck, cabin = stage.colour("hull"), stage.colour("deck"), stage.colour("cabin")
    outline = placed(_HULL, at, length, width, angle)
    inner = placed(_HULL, offset(at, angle, -length * 0.01), length * 0.92, width * 0.82, angle)
    side, top, house = (
        stage.paint(name, "ship", like=colour) for name, colour in (("hull", hull), ("deck", deck), ("cabin", cabin))
    )
    glass = stage.paint("windscreen", "ship")
    holds = [stage.paint("container", "ship") for _ in range(5)]
    is_cargo = length > 45
    style = int(rng.integers(3))
    if sails:
        kind = "sea" if stage.kind_at(at) == kind_index("sea") else "water"
        foam = stage.paint("foam", kind)
        for wing in (-9, 9):
            tail = offset(offset(at, angle, -length * 0.75), angle + 90, wing * length * 0.018)
            canvas.fill(rectangle(tail, length * 0.7, width * 0.12, angle + wing), foam)

    def paint() -> None:
        canvas.fill(outline, side, lit=True)
        canvas.fill(inner, top, lit=True)
        if is_cargo:
            for hold in range(5):
                spot = offset(at, angle, length * (0.3 - 0.13 * hold))
                canvas.fill(rectangle(spot, length * 0.11, width * 0.66, angle), holds[hold])
            canvas.fill(rectangle(offset(at, angle, -length * 0.38), length * 0.1, width * 0.7, angle), house)
            return
        spot = offset(at, angle, -length * (0.06, 0.14, -0.02)[style])
        canvas.fill(rectangle(spot, length * 0.34, width * 0.56, angle), house)
        canvas.fill(rectangle(offset(spot, angle, length * 0.15), length * 0.06, width * 0.52, angle), glass)
        back = offset(at, angle, -length * 0.38)
        canvas.fill(rectangle(back, length * 0.12, width * 0.5, angle), stage.paint("planks", "ship"))

    stage.stand(at, 2.5, paint, shade=lambda: stage.cast(outline, 1.2 + length * 0.03, 190), takes=outline)
