"""Places at the water: beach, open sea, harbour, river."""

from __future__ import annotations

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.places.common import around, chance, cover, middle, people, ragged, sides, spot_in
from ovrisisbench.mini.shapes import rectangle, ribbon
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.buildings import block, containers, house
from ovrisisbench.mini.things.craft import ship
from ovrisisbench.mini.things.plants import grove, patches, scatter_trees, shrubs
from ovrisisbench.mini.things.roads import bridge, parking_lot, road, straight, traffic

__all__ = ["beach", "harbour", "open_sea", "river"]


def beach(stage: Stage, box: Box) -> None:
    """Sea, surf, sand, and a strip of land behind it."""
    cover(stage, box, "sea", "sea")
    width, depth = sides(box)
    shore = middle(box)[1] + float(stage.rng.uniform(-0.12, 0.12)) * depth
    line = ragged(stage, (box[0], shore), (box[2], shore), float(stage.rng.uniform(2, 6)))
    deep = 24 + float(stage.rng.uniform(0, 22))
    for far in (4.0, 9.5, 17.0):
        surf = ragged(stage, (box[0], shore - far), (box[2], shore - far), 2.5)
        for part in range(3, len(surf) - 6, 9):
            if chance(stage, 0.7):
                crest = surf[part : part + 7]
                stage.mark(ribbon(crest, float(stage.rng.uniform(0.6, 1.6))), "foam", "sea")
    stage.ground(_below(line - np.array([0, 1.2]), box[3]), "foam", "sea", shade=0.97)
    stage.ground(_below(line, box[3]), "wet sand", "sand")
    stage.ground(_below(line + np.array([0, 5.0]), box[3]), "sand", "sand")
    land = ragged(stage, (box[0], shore + deep), (box[2], shore + deep), 3)
    if chance(stage, 0.75):
        stage.ground(_below(land, box[3]), "dry grass", "grass")
        strip = (box[0], shore + deep, box[2], box[3])
        if chance(stage, 0.5):
            scatter_trees(stage, strip, width * depth / 240, (1.8, 3.4), ("grass",))
        else:
            lower = straight((box[0], shore + deep + 9), (box[2], shore + deep + 9))
            road(stage, lower, 7.5)
            traffic(stage, lower, 7.5, 20)
            for x in np.arange(box[0] + 8, box[2], 20):
                house(stage, (float(x), shore + deep + 26), 12, 9, 0)
    else:
        shrubs(stage, (box[0], shore + deep, box[2], box[3]), 30)
    people(stage, (box[0], shore, box[2], shore + deep), width * deep / 70, ("sand",))
    if chance(stage, 0.3):
        ship(stage, (around(stage, box, 0.3)[0], shore - 30), float(stage.rng.uniform(-20, 20)), 14, sails=True)


def open_sea(stage: Stage, box: Box) -> None:
    """Ships under way or at anchor on the sea."""
    cover(stage, box, "sea", "sea")
    heading = float(stage.rng.uniform(0, 360))
    for _ in range(int(3 + 9 * stage.density)):
        length = float(stage.rng.choice([13, 18, 26, 38, 60]))
        at = spot_in(stage, box, 6)
        outline = rectangle(at, length * 1.1, length * 0.4, heading)
        if stage.is_free_outline(outline, {kind_index("sea")}):
            ship(stage, at, heading + float(stage.rng.choice([0, 180])) + float(stage.rng.uniform(-20, 20)), length,
                 sails=chance(stage, 0.6))  # fmt: skip


def harbour(stage: Stage, box: Box) -> None:
    """A basin with docks, boats moored at them, and a quay with lorries, containers and sheds."""
    cover(stage, box, "harbour water", "water")
    width, depth = sides(box)
    at = around(stage, box, 0.05)
    quay = at[1] - depth * float(stage.rng.uniform(0.26, 0.36))
    stage.ground(rectangle((at[0], (box[1] + quay) / 2), width, quay - box[1]), "pavement", "pavement")
    stage.ground(rectangle((at[0], quay - 1.4), width, 2.8), "dock", "dock")
    boat = float(stage.rng.choice([10.5, 13, 16, 22]))
    pitch = boat * 2 + float(stage.rng.uniform(9, 13))
    reach = quay + float(stage.rng.uniform(0.62, 0.85)) * (box[3] - quay)
    for x in np.arange(box[0] + pitch * float(stage.rng.uniform(0.3, 0.6)), box[2], pitch):
        _pier(stage, (float(x), quay), reach, boat)
    for _ in range(int(2 + 3 * stage.density)):
        spot = (spot_in(stage, box)[0], reach + float(stage.rng.uniform(8, 24)))
        if stage.is_free(spot, 8, {kind_index("water")}):
            ship(stage, spot, float(stage.rng.uniform(-15, 15)), float(stage.rng.choice([13, 20, 30])), sails=True)
    land = (box[0], box[1], box[2], quay - 4)
    line = straight((box[0], quay - 14), (box[2], quay - 14))
    road(stage, line, 8, pavement=0)
    traffic(stage, line, 8, 22, trucks=0.5)
    for x in np.arange(land[0] + 12, land[2], float(stage.rng.uniform(28, 40))):
        spot = (float(x), quay - 34)
        use = stage.rng.random()
        if use < 0.4:
            block(stage, spot, 24, 15, 0, 2, roof="metal roof")
        elif use < 0.7:
            containers(stage, spot, 4, 3, 0)
        else:
            parking_lot(stage, spot, (22, 17), 0)


def river(stage: Stage, box: Box) -> None:
    """A river between wooded banks, with a bridge and its road, and boats."""
    cover(stage, box, str(stage.rng.choice(["grass", "meadow"])), "grass")
    width, depth = sides(box)
    at = around(stage, box, 0.06)
    wide = float(stage.rng.uniform(0.2, 0.34)) * min(depth, 110)
    line = ragged(stage, (box[0], at[1]), (box[2], at[1]), depth * 0.06, 60)
    stage.ground(ribbon(line, wide + 7), "wet sand", "bare soil")
    stage.ground(ribbon(line, wide), "river", "water")
    patches(stage, (box[0], box[1], box[2], at[1] - wide), "bare soil", "bare soil", 3, (4, 9))
    if chance(stage, 0.9):
        x = at[0] + float(stage.rng.uniform(-0.05, 0.05)) * width
        centre = float(line[np.abs(line[:, 0] - x).argmin()][1])
        half = wide * 0.5 + 7
        way = straight((x, box[1]), (x, box[3]))
        for start, end in ((box[1], centre - half), (centre + half, box[3])):
            road(stage, straight((x, start), (x, end)), 9)
        bridge(stage, (x, centre - half - 3), (x, centre + half + 3), 10)
        traffic(stage, way, 10, 12, trucks=0.25)
    for _ in range(int(1 + 3 * stage.density)):
        part = int(stage.rng.integers(4, len(line) - 4))
        spot = (float(line[part][0]), float(line[part][1]) + float(stage.rng.uniform(-0.2, 0.2)) * wide)
        length = float(stage.rng.uniform(11, 22))
        if stage.is_free(spot, length * 0.4, {kind_index("water")}):
            step = line[part + 1] - line[part - 1]
            ship(stage, spot, float(np.degrees(np.arctan2(step[1], step[0]))), length, sails=chance(stage, 0.5))
    for _ in range(6):
        grove(stage, spot_in(stage, box), float(stage.rng.uniform(8, 18)), radius=(2, 4.4), on=("grass",))
    for _ in range(4):
        spot = spot_in(stage, box, 6)
        if stage.is_free(spot, 9, {kind_index("grass")}):
            house(stage, spot, 12, 9, float(stage.rng.uniform(0, 180)))
    people(stage, box, 14, ("grass", "bare soil"))


def _pier(stage: Stage, start: tuple[float, float], reach: float, boat: float) -> None:
    """A dock with fingers, and boats on both sides."""
    length = reach - start[1]
    spine = rectangle((start[0], start[1] + length / 2), 3.4, length)
    stage.cast(spine, 1.0, 200)
    stage.ground(spine, "dock", "dock")
    for place in np.arange(1.2, length, 1.6):
        plank = rectangle((start[0], start[1] + float(place)), 3.2, 0.25)
        stage.mark(plank, "planks", "dock")
    slot = boat * 0.34 + 2.0
    for place in np.arange(slot * 0.8, length - slot * 0.4, slot):
        for side in (-1, 1):
            finger = rectangle(
                (start[0] + side * (1.7 + boat * 0.42), start[1] + float(place) + slot / 2), boat * 0.84, 1.7
            )
            stage.ground(finger, "dock", "dock")
            if chance(stage, 0.35 + 0.6 * stage.density):
                at = (start[0] + side * (2.6 + boat * 0.5), start[1] + float(place))
                size = boat * float(stage.rng.uniform(0.8, 1.0))
                ship(stage, at, (180 if side > 0 else 0) + float(stage.rng.uniform(-3, 3)), size)


def _below(line: np.ndarray, bottom: float) -> np.ndarray:
    """Close a line that runs from left to right to everything below it."""
    return np.concatenate([line, [[line[-1][0], bottom + 1], [line[0][0], bottom + 1]]])
