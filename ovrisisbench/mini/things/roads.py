"""Roads with their markings and traffic, roundabouts, bridges and parking lots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.shapes import Point, blob, disc, offset, rectangle, ribbon, ring_part
from ovrisisbench.mini.stage import Stage
from ovrisisbench.mini.things.plants import tree
from ovrisisbench.mini.things.vehicles import car, truck

if TYPE_CHECKING:
    from ovrisisbench.mini.shapes import Outline

__all__ = ["bridge", "network", "parking_lot", "road", "roundabout", "straight", "traffic"]


def straight(start: Point, end: Point, bend: float = 0.0) -> Outline:
    """Return a line from one point to another, (N, 2), bent to the side by ``bend`` metres in its middle."""
    shares = np.linspace(0, 1, 2 + (14 if bend else 6))
    line = np.array(start) + (np.array(end) - np.array(start)) * shares[:, None]
    across = np.array([start[1] - end[1], end[0] - start[0]]) / max(math.dist(start, end), 1e-6)
    bent: Outline = line + across * (np.sin(shares * np.pi) * bend)[:, None]
    return bent


def road(stage: Stage, line: Outline, width: float = 8.0, *, pavement: float = 1.8, marked: bool = True) -> None:
    """A road along a line, with pavements, worn lanes, patches and markings."""
    _lay(stage, [line], width, pavement)
    if marked:
        _mark_lanes(stage, line, width)


def network(stage: Stage, lines: Sequence[Outline], width: float, *, pavement: float) -> None:
    """Straight roads that cross each other, without pavements or markings on the crossings."""
    _lay(stage, lines, width, pavement)
    for line in lines:
        _mark_lanes(stage, line, width)
    reach = width + 0.4
    for number, first in enumerate(lines):
        for second in lines[number + 1 :]:
            at = _meeting(first, second)
            if at is not None:
                stage.mark(rectangle(at, reach, reach, _heading(first)), "asphalt", "road")


def _lay(stage: Stage, lines: Sequence[Outline], width: float, pavement: float) -> None:
    if pavement:
        for line in lines:
            stage.ground(ribbon(line, width + 2 * pavement), "pavement", "pavement")
    for line in lines:
        colour = stage.colour("asphalt")
        stage.ground(ribbon(line, width), "asphalt", "road", like=colour)
        for place in (-0.3, -0.14, 0.14, 0.3):
            worn = stage.paint("asphalt", "road", shade=0.95 if abs(place) > 0.2 else 0.92, like=colour)
            stage.canvas.fill(ribbon(_moved(line, place * width), width * 0.07), worn)
        for _ in range(int(_length(line) / 26)):
            spot, angle = _at(line, float(stage.rng.uniform(0.05, 0.95)))
            patch = offset(spot, angle + 90, float(stage.rng.uniform(-0.3, 0.3)) * width)
            shade = float(stage.rng.choice([0.88, 1.08]))
            stage.canvas.fill(
                rectangle(patch, 4.5, 1.6, angle), stage.paint("asphalt", "road", shade=shade, like=colour)
            )


def _mark_lanes(stage: Stage, line: Outline, width: float) -> None:
    _dashes(stage, line, "road")
    for side in (-1, 1):
        stage.mark(ribbon(_moved(line, side * (width / 2 - 0.35)), 0.22), "line", "road", shade=0.92)


def _meeting(first: Outline, second: Outline) -> Point | None:
    """Return where two straight lines cross, None if they are parallel."""
    along, across = first[-1] - first[0], second[-1] - second[0]
    turn = float(along[0] * across[1] - along[1] * across[0])
    if abs(turn) < 1e-6:
        return None
    apart = second[0] - first[0]
    share = float(apart[0] * across[1] - apart[1] * across[0]) / turn
    at = first[0] + along * share
    return float(at[0]), float(at[1])


def _heading(line: Outline) -> float:
    return math.degrees(math.atan2(float(line[-1][1] - line[0][1]), float(line[-1][0] - line[0][0])))


def traffic(stage: Stage, line: Outline, width: float, spacing: float, *, trucks: float = 0.15) -> None:
    """Cars and lorries on both lanes, each on its right side, with gaps of about ``spacing`` metres."""
    total = _length(line)
    for side in (-1, 1):
        place = float(stage.rng.uniform(0, spacing))
        while place < total:
            spot, angle = _at(line, place / total)
            at = offset(spot, angle + 90, side * width * 0.24)
            heading = angle if side > 0 else angle + 180
            is_truck = stage.rng.random() < trucks
            free = {kind_index("road"), kind_index("bridge"), kind_index("roundabout")}
            if stage.is_free_outline(rectangle(at, 13.5 if is_truck else 5.0, 2.2, heading), free):
                if is_truck:
                    truck(stage, at, heading)
                else:
                    car(stage, at, heading, moving=True)
            place += (14.0 if is_truck else 7.0) + float(stage.rng.exponential(spacing))


def roundabout(stage: Stage, at: Point, radius: float, arms: int = 4, turn: float = 0.0) -> None:
    """A roundabout: carriageway, green island, arms to all sides, and the cars on it."""
    for arm in range(arms):
        angle = turn + 360 * arm / arms
        line = straight(offset(at, angle, radius * 0.8), offset(at, angle, 3 * stage.reach))
        road(stage, line, 8.5)
        traffic(stage, line[: max(4, len(line) // 2)], 8.5, 26)
    stage.ground(disc(at, radius + 2.2, corners=60), "pavement", "pavement")
    colour = stage.colour("asphalt")
    stage.ground(disc(at, radius, corners=60), "asphalt", "roundabout", like=colour)
    worn = stage.paint("asphalt", "roundabout", shade=0.93, like=colour)
    stage.canvas.fill(ring_part(at, radius * 0.72, radius * 0.8, 0, 360), worn)
    for part in range(0, 360, 20):
        stage.mark(ring_part(at, radius * 0.965, radius * 0.985, part, part + 10), "line", "roundabout")
    island = radius * 0.52
    stage.ground(disc(at, island, corners=40), "coping", "roundabout island")
    stage.ground(disc(at, island - 0.8, corners=40), "lawn", "roundabout island")
    if island > 5:
        stage.ground(blob(at, island * 0.45, stage.rng, rough=0.1), "hedge", "roundabout island")
        if stage.rng.random() < 0.6:
            tree(stage, at, min(3.2, island * 0.35))
    for part in range(int(stage.rng.integers(0, 50)), 360, int(stage.rng.integers(50, 110))):
        car(stage, offset(at, part, radius * 0.77), part + 90, moving=True)


def bridge(stage: Stage, start: Point, end: Point, width: float = 9.0) -> None:
    """A bridge: its deck with railings, piers' shadow and lanes; the traffic is put on by :func:`traffic`."""
    line = straight(start, end)
    deck = ribbon(line, width + 2.4)
    moved = deck + np.array(stage.sun) * 4.5
    stage.canvas.shadow(moved)
    stage.canvas.fill(deck, stage.paint("railing", "bridge"), lit=True)
    colour = stage.colour("bridge deck")
    stage.ground(ribbon(line, width + 1.4), "bridge deck", "bridge", like=colour)
    for place in (-0.24, 0.24):
        worn = stage.paint("bridge deck", "bridge", shade=0.92, like=colour)
        stage.canvas.fill(ribbon(_moved(line, place * width), width * 0.16), worn)
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    for place in np.arange(6.0, math.dist(start, end) - 3, 12.0):
        joint = rectangle(offset(start, angle, float(place)), 0.35, width + 1.2, angle)
        stage.mark(joint, "bridge deck", "bridge", shade=0.8)
    _dashes(stage, line, "bridge")


def parking_lot(stage: Stage, at: Point, size: tuple[float, float], angle: float, *, filled: float = 0.75) -> None:
    """Rows of bays with lines, most of them with a parked car."""
    length, depth = size
    stage.ground(rectangle(at, length + 2, depth + 2, angle), "parking", "pavement")
    bays = int(length // 2.75)
    rows = max(1, int(depth // 8.6))
    for row in range(rows):
        across = -depth / 2 + 4.3 + row * 8.6
        middle = offset(at, angle + 90, across)
        facing = angle + (90 if row % 2 else -90)
        back = offset(middle, facing, 2.55)
        stage.mark(rectangle(back, bays * 2.75, 0.22, angle), "line", "pavement", shade=0.9)
        for bay in range(bays + 1):
            spot = offset(middle, angle, (bay - bays / 2) * 2.75)
            stage.mark(rectangle(spot, 0.2, 5.1, angle), "line", "pavement", shade=0.9)
        for bay in range(bays):
            if stage.rng.random() < filled:
                spot = offset(middle, angle, (bay + 0.5 - bays / 2) * 2.75)
                jitter = stage.rng.uniform(-0.25, 0.25, 2)
                heading = facing + (180 if stage.rng.random() < 0.3 else 0) + float(jitter[0]) * 8
                car(stage, (spot[0] + float(jitter[0]), spot[1] + float(jitter[1])), heading, moving=False)


def _dashes(stage: Stage, line: Outline, kind: str) -> None:
    total = _length(line)
    paint = stage.paint(str(stage.rng.choice(["line", "yellow line"])), kind)
    for place in np.arange(1.0, total - 3, 6.0):
        spot, angle = _at(line, float(place + 1.5) / total)
        stage.canvas.fill(rectangle(spot, 3.0, 0.34, angle), paint)


def _moved(line: Outline, across: float) -> Outline:
    steps = np.gradient(line, axis=0)
    normals = np.stack([-steps[:, 1], steps[:, 0]], axis=1) / np.maximum(np.linalg.norm(steps, axis=1), 1e-9)[:, None]
    moved: Outline = line + normals * across
    return moved


def _length(line: Outline) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _at(line: Outline, share: float) -> tuple[Point, float]:
    """Return a point of a line and the direction there in degrees."""
    lengths = np.linalg.norm(np.diff(line, axis=0), axis=1)
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    place = float(np.clip(share, 0, 1)) * ends[-1]
    part = min(int(np.searchsorted(ends, place, side="right")) - 1, len(lengths) - 1)
    step = line[part + 1] - line[part]
    spot = line[part] + step * ((place - ends[part]) / max(float(lengths[part]), 1e-9))
    return (float(spot[0]), float(spot[1])), math.degrees(math.atan2(float(step[1]), float(step[0])))
