"""Courts, pitches, tracks, diamonds and pools."""

from __future__ import annotations

import numpy as np

from ovrisisbench.mini.shapes import Point, blob, disc, offset, placed, rectangle, ring_part
from ovrisisbench.mini.stage import Stage

__all__ = ["baseball_diamond", "basketball_court", "pool", "running_track", "soccer_field", "tennis_court"]


def tennis_court(stage: Stage, at: Point, angle: float) -> None:
    """A tennis court in its run-off, with lines and a net; 34 by 17 metres in all."""
    name = str(stage.rng.choice(["clay court", "hard court", "hard court"]))
    stage.ground(rectangle(at, 35.5, 18, angle), "court surround" if name == "hard court" else name, "tennis court")
    stage.ground(rectangle(at, 23.8, 11, angle), name, "tennis court")
    for across in (-5.3, -4.1, 4.1, 5.3):
        _line(stage, offset(at, angle + 90, across), 23.8, angle, "tennis court")
    for along in (-11.9, -6.4, 6.4, 11.9):
        wide = 11.0 if abs(along) > 10 else 8.2
        _line(stage, offset(at, angle, along), wide, angle + 90, "tennis court")
    _line(stage, at, 12.8, angle, "tennis court")
    stage.canvas.shadow(rectangle((at[0] + stage.sun[0] * 0.6, at[1] + stage.sun[1] * 0.6), 0.9, 12.4, angle), 170)
    stage.mark(rectangle(at, 0.4, 12.4, angle), "fence", "tennis court", shade=1.15)


def basketball_court(stage: Stage, at: Point, angle: float) -> None:
    """A basketball court with keys, arcs and a middle circle; 28 by 15 metres."""
    kind = "basketball court"
    stage.ground(rectangle(at, 30.5, 17.5, angle), "basketball court", kind)
    for side in (-1, 1):
        _line(stage, offset(at, angle + 90, side * 7.4), 28, angle, kind)
        _line(stage, offset(at, angle, side * 14), 14.8, angle + 90, kind)
        key = offset(at, angle, side * 11.1)
        stage.mark(rectangle(key, 5.8, 4.9, angle), "paint key", kind)
        basket = offset(at, angle, side * 12.4)
        arc = angle + (90 if side > 0 else -90)
        stage.mark(ring_part(basket, 6.5, 6.85, arc, arc + 180), "line", kind)
    _line(stage, at, 14.8, angle + 90, kind)
    stage.mark(ring_part(at, 1.7, 2.05, 0, 360), "line", kind)


def soccer_field(stage: Stage, at: Point, angle: float, length: float = 96.0, width: float = 62.0) -> None:
    """A soccer field with mown stripes and all its lines."""
    kind = "soccer field"
    colour = stage.colour("pitch")
    stage.ground(rectangle(at, length + 4, width + 4, angle), "pitch", kind, like=colour)
    stripes = 12
    for stripe in range(0, stripes, 2):
        spot = offset(at, angle, (stripe + 0.5 - stripes / 2) * length / stripes)
        stage.canvas.fill(
            rectangle(spot, length / stripes, width, angle), stage.paint("pitch", kind, shade=1.09, like=colour)
        )
    for side in (-1, 1):
        _line(stage, offset(at, angle + 90, side * width / 2), length, angle, kind)
        _line(stage, offset(at, angle, side * length / 2), width, angle + 90, kind)
        for deep, wide in ((0.16, 0.62), (0.055, 0.28)):
            _line(stage, offset(at, angle, side * length * (0.5 - deep)), width * wide, angle + 90, kind)
            for edge in (-1, 1):
                spot = offset(offset(at, angle, side * length * (0.5 - deep / 2)), angle + 90, edge * width * wide / 2)
                _line(stage, spot, length * deep, angle, kind)
        mouth = offset(at, angle, side * length * 0.475)
        stage.mark(blob(mouth, width * 0.045, stage.rng, rough=0.4), "bare soil", kind)
    _line(stage, at, width, angle + 90, kind)
    stage.mark(ring_part(at, width * 0.13, width * 0.13 + 0.45, 0, 360), "line", kind)


def running_track(stage: Stage, at: Point, angle: float, length: float = 150.0, width: float = 84.0) -> None:
    """A running track around a soccer field, or around a lawn where it is small."""
    colour = stage.colour("track")
    kind = "running track"
    lane = min(9.5, width * 0.14)
    stage.ground(_stadium(at, length, width, angle), "track", kind, like=colour)
    for share in (0.2, 0.4, 0.6, 0.8):
        outer = _stadium(at, length - 2 * lane * share, width - 2 * lane * share, angle)
        inner = _stadium(at, length - 2 * lane * share - 0.5, width - 2 * lane * share - 0.5, angle)
        stage.canvas.fill(outer, stage.paint("line", kind, shade=0.95))
        stage.canvas.fill(inner, stage.paint("track", kind, like=colour))
    stage.ground(_stadium(at, length - 2 * lane, width - 2 * lane, angle), "pitch", kind)
    inside = width - 2 * lane
    soccer_field(stage, at, angle, length=length - 2 * lane - inside * 0.5, width=inside * 0.78)


def baseball_diamond(stage: Stage, at: Point, radius: float, angle: float) -> None:
    """A diamond whose home plate lies at ``at``; its field opens to ``angle``."""
    stage.ground(ring_part(at, 0.3, radius, angle - 47, angle + 47), "infield", "diamond dirt")
    stage.ground(ring_part(at, radius * 0.56, radius * 0.955, angle - 44, angle + 44), "pitch", "diamond grass")
    stage.ground(disc(at, radius * 0.1), "infield", "diamond dirt")
    middle = offset(at, angle, radius * 0.26)
    stage.ground(rectangle(middle, radius * 0.27, radius * 0.27, angle + 45), "pitch", "diamond grass")
    stage.ground(disc(middle, radius * 0.035, corners=16), "infield", "diamond dirt")
    for side in (-1, 1):
        reach = offset(at, angle + side * 45, radius * 0.5)
        stage.mark(rectangle(reach, radius * 0.95, 0.5, angle + side * 45), "line", "diamond dirt")
    for turn, far in ((-45, 0.37), (0, 0.52), (45, 0.37)):
        stage.mark(rectangle(offset(at, angle + turn, radius * far), 1.1, 1.1, angle + 45), "line", "diamond dirt")


def pool(stage: Stage, at: Point, length: float, width: float, angle: float) -> None:
    """A swimming pool in its coping; rectangular or kidney-shaped."""
    if length < 16 and stage.rng.random() < 0.4:
        shape = blob((0.0, 0.0), 0.5, stage.rng, rough=0.35, corners=28)
        stage.ground(placed(shape, at, length + 1.6, width + 1.6, angle), "coping", "pavement")
        stage.ground(placed(shape, at, length, width, angle), "pool", "pool")
        stage.mark(placed(shape * 0.7, at, length, width, angle), "pool", "pool", shade=0.92)
        return
    stage.ground(rectangle(at, length + 1.8, width + 1.8, angle), "coping", "pavement")
    colour = stage.colour("pool")
    stage.ground(rectangle(at, length, width, angle), "pool", "pool", like=colour)
    deep = rectangle(offset(at, angle, length * 0.2), length * 0.55, width * 0.86, angle)
    stage.canvas.fill(deep, stage.paint("pool", "pool", shade=0.88, like=colour))
    if length > 18:
        for across in np.arange(-width / 2 + 2.4, width / 2 - 1, 2.4):
            _line(stage, offset(at, angle + 90, float(across)), length, angle, "pool", 0.3)


def _line(  # noqa: PLR0917 - each is one plain quantity
    stage: Stage, at: Point, length: float, angle: float, kind: str, width: float = 0.36
) -> None:
    stage.mark(rectangle(at, length, width, angle), "line", kind)


def _stadium(at: Point, length: float, width: float, angle: float) -> np.ndarray:
    turns = np.radians(np.linspace(-90, 90, 18))
    straight, radius = (length - width) / 2, width / 2
    right = np.stack([straight + radius * np.cos(turns), radius * np.sin(turns)], axis=1)
    return placed(np.concatenate([right, -right]), at, 1, 1, angle)
