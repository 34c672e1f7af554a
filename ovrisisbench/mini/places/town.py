"""Places where people live and drive: homes, the centre, crossings, roundabouts, parking lots, freeways."""

from __future__ import annotations

import math

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.places.common import GREENS, around, chance, cover, middle, people, sides, spot_in
from ovrisisbench.mini.shapes import Point, offset, rectangle
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.buildings import block, containers, house, mobile_home
from ovrisisbench.mini.things.plants import hedge, patches, scatter_trees, tree
from ovrisisbench.mini.things.roads import bridge, network, parking_lot, road, roundabout, straight, traffic
from ovrisisbench.mini.things.sports import pool
from ovrisisbench.mini.things.vehicles import car

__all__ = ["centre", "crossing", "freeway", "homes", "mobile_homes", "parking", "ring"]


def homes(stage: Stage, box: Box) -> None:
    """Detached houses with gardens, drives, pools and trees along streets."""
    cover(stage, box, "lawn", "grass")
    patches(stage, box, "dry grass", "grass", 6, (3, 9))
    width, _ = sides(box)
    depth = 46.0
    first = middle(box)[1] - depth * round((middle(box)[1] - box[1]) / depth) + float(stage.rng.uniform(-8, 8))
    for y in np.arange(first, box[3], depth):
        line = straight((box[0], float(y)), (box[2], float(y)), bend=float(stage.rng.uniform(-3, 3)))
        road(stage, line, 7.2)
        for side in (-1, 1):
            _row_of_houses(stage, box, float(y), side)
        traffic(stage, line, 7.2, 30 / max(stage.density, 0.3), trucks=0.05)
        _parked_along(stage, box, float(y))
    area = width * sides(box)[1]
    scatter_trees(stage, box, area / 75 * stage.density, (1.8, 4.2), GREENS)
    people(stage, box, area / 260, ("pavement", "grass"))


def centre(stage: Stage, box: Box) -> None:
    """Large buildings in blocks between wide streets, with courts, parked cars and street trees."""
    cover(stage, box, "pavement", "pavement")
    step = float(stage.rng.uniform(58, 76))
    x0, y0 = around(stage, box, 0.06)
    xs = [x0 + step * n for n in range(-4, 5) if box[0] - 4 < x0 + step * n < box[2] + 4]
    ys = [y0 + step * n for n in range(-4, 5) if box[1] - 4 < y0 + step * n < box[3] + 4]
    lines = [straight((x, box[1]), (x, box[3])) for x in xs] + [straight((box[0], y), (box[2], y)) for y in ys]
    network(stage, lines, 11.0, pavement=3.0)
    for x in [*[x - step for x in xs[:1]], *xs]:
        for y in [*[y - step for y in ys[:1]], *ys]:
            _city_block(stage, (x + 10, y + 10, x + step - 10, y + step - 10))
    for line in lines:
        traffic(stage, line, 11.0, 15 / max(stage.density, 0.3), trucks=0.16)
        for place in np.arange(6.0, 400.0, 11.0):
            for side in (-1, 1):
                start, end = line[0], line[-1]
                angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
                at = offset(offset((float(start[0]), float(start[1])), angle, float(place)), angle + 90, side * 7.2)
                if stage.is_free(at, 0.8, {kind_index("pavement")}) and chance(stage, 0.5):
                    tree(stage, at, float(stage.rng.uniform(1.8, 3.0)))
    area = sides(box)[0] * sides(box)[1]
    people(stage, box, area / 110, ("pavement",))


def mobile_homes(stage: Stage, box: Box) -> None:
    """A park of mobile homes, set aslant along its lanes."""
    cover(stage, box, "lawn", "grass")
    lanes = np.arange(box[1] + float(stage.rng.uniform(4, 16)), box[3], 41.0)
    lean = float(stage.rng.choice([58, 74, 90, 106]))
    for y in lanes:
        line = straight((box[0], float(y)), (box[2], float(y)))
        road(stage, line, 6.2, pavement=0, marked=False)
        for side in (-1, 1):
            for x in np.arange(box[0] + 5, box[2] - 3, float(stage.rng.uniform(11.5, 13.5))):
                at = (float(x), float(y) + side * 13.2)
                if chance(stage, 0.2 + 0.75 * stage.density):
                    pad = rectangle(offset(at, 0, 5.2), 3.0, 13, 90 + 90)
                    stage.ground(pad, "pavement", "pavement")
                    mobile_home(stage, at, lean * side)
                    if chance(stage, 0.65):
                        car(stage, (at[0] + 5.3, float(y) + side * 7.2), 90 * side, moving=False)
        traffic(stage, line, 6.2, 60, trucks=0.0)
    scatter_trees(stage, box, sides(box)[0] * sides(box)[1] / 110, (1.5, 3.2), GREENS)


def crossing(stage: Stage, box: Box) -> None:
    """Two wide roads that cross, with buildings, lawns and parking at the corners."""
    cover(stage, box, str(stage.rng.choice(["lawn", "grass", "pavement"])), "grass")
    at = around(stage, box, 0.08)
    wide = float(stage.rng.uniform(11, 15))
    lines = [
        straight((box[0], at[1]), (box[2], at[1])),
        straight((at[0], box[1]), (at[0], box[3])),
    ]
    network(stage, lines, wide, pavement=2.6)
    for turn in (0, 90, 180, 270):
        for bar in range(-4, 5):
            stripe = offset(offset(at, turn, wide / 2 + 2.4), turn + 90, bar * wide / 10)
            stage.mark(rectangle(stripe, 3.0, 0.6, turn), "line", "road")
    reach = (sides(box)[0] + sides(box)[1]) / 4
    for x in (-1, 1):
        for y in (-1, 1):
            corner = (at[0] + x * (wide / 2 + 4), at[1] + y * (wide / 2 + 4))
            far = (at[0] + x * reach, at[1] + y * reach)
            lot = (min(corner[0], far[0]), min(corner[1], far[1]), max(corner[0], far[0]), max(corner[1], far[1]))
            _corner(stage, lot)
    for line in lines:
        traffic(stage, line, wide, 9 / max(stage.density, 0.3), trucks=0.15)
    people(stage, box, sides(box)[0] * sides(box)[1] / 120, ("pavement",))


def ring(stage: Stage, box: Box) -> None:
    """A roundabout with houses and trees around it."""
    cover(stage, box, "grass", "grass")
    at = around(stage, box, 0.06)
    radius = float(stage.rng.uniform(17, 25))
    arms, turn = int(stage.rng.choice([3, 4, 4])), float(stage.rng.uniform(0, 90))
    roundabout(stage, at, radius, arms, turn)
    for arm in range(arms):
        for far, side in ((radius + 26, 1), (radius + 50, 1), (radius + 34, -1), (radius + 62, -1)):
            angle = turn + 360 * arm / arms
            spot = offset(offset(at, angle, far), angle + 90, side * 19)
            _free_house(stage, spot, angle)
    scatter_trees(stage, box, sides(box)[0] * sides(box)[1] / 90, (2.0, 4.5), GREENS)
    people(stage, box, 20, ("pavement",))


def parking(stage: Stage, box: Box) -> None:
    """A large parking lot beside a shop, with a few trees on islands."""
    cover(stage, box, str(stage.rng.choice(["lawn", "grass"])), "grass")
    at = around(stage, box, 0.04)
    width, depth = sides(box)
    parking_lot(stage, at, (width * 0.72, depth * 0.5), 0, filled=0.35 + 0.6 * stage.density)
    shop = (at[0], at[1] - depth * 0.25 - 16)
    block(stage, shop, width * 0.5, 22, 0, 2, roof="flat roof")
    line = straight((box[0], at[1] + depth * 0.25 + 10), (box[2], at[1] + depth * 0.25 + 10))
    road(stage, line, 9)
    traffic(stage, line, 9, 18, trucks=0.1)
    scatter_trees(stage, box, width * depth / 150, (1.8, 3.6), GREENS)
    people(stage, box, width * depth / 200, ("pavement",))


def freeway(stage: Stage, box: Box) -> None:
    """A freeway with two carriageways, and a road that crosses it on a bridge."""
    cover(stage, box, str(stage.rng.choice(["grass", "dry grass"])), "grass")
    at = around(stage, box, 0.06)
    ways = [straight((box[0], at[1] + side * 9.0), (box[2], at[1] + side * 9.0)) for side in (-1, 1)]
    for way in ways:
        road(stage, way, 13.5, pavement=1.0)
        traffic(stage, way, 13.5, 9 / max(stage.density, 0.3), trucks=0.3)
    if chance(stage, 0.6):
        over = (at[0] + float(stage.rng.uniform(-8, 8)), at[1])
        for end in (box[1], box[3]):
            road(stage, straight((over[0], at[1] + (18 if end > at[1] else -18)), (over[0], end)), 9)
        bridge(stage, (over[0], at[1] - 22), (over[0], at[1] + 22), 9.5)
        traffic(stage, straight((over[0], box[1]), (over[0], box[3])), 9.5, 14, trucks=0.2)
    scatter_trees(stage, box, sides(box)[0] * sides(box)[1] / 70, (2.0, 4.6), GREENS, conifers=0.3)


def _row_of_houses(stage: Stage, box: Box, y: float, side: int) -> None:
    lot = float(stage.rng.uniform(15.5, 21)) * (1.5 - 0.5 * stage.density)
    for x in np.arange(box[0] + float(stage.rng.uniform(0, 9)), box[2] + 4, lot):
        at = (float(x), y + side * float(stage.rng.uniform(13.6, 15.5)))
        drive = rectangle((at[0] + lot * 0.36, y + side * 9.4), 3.2, 9.5, 0)
        stage.ground(drive, "pavement", "pavement")
        length, width = float(stage.rng.uniform(9.5, 13)), float(stage.rng.uniform(7.5, 9.5))
        angle = float(stage.rng.choice([0.0, 90.0], p=[0.75, 0.25]) + stage.rng.uniform(-3, 3))
        house(stage, at, length, width, angle, float(stage.rng.choice([1.2, 2, 2])))
        if chance(stage, 0.7):
            car(stage, (at[0] + lot * 0.36, y + side * 9.0), -90 * side + float(stage.rng.uniform(-3, 3)), moving=False)
        back = (at[0] + float(stage.rng.uniform(-3, 3)), y + side * 20.6)
        if chance(stage, 0.28):
            pool(
                stage,
                back,
                float(stage.rng.uniform(6, 9.5)),
                float(stage.rng.uniform(3.6, 4.8)),
                float(stage.rng.uniform(-8, 8)),
            )
        if chance(stage, 0.4):
            hedge(stage, (at[0] - lot / 2, y + side * 8), (at[0] - lot / 2, y + side * 22))


def _parked_along(stage: Stage, box: Box, y: float) -> None:
    """Cars at the kerb, half on the pavement."""
    for x in np.arange(box[0] + 4, box[2], 6.4):
        for side in (-1, 1):
            if chance(stage, 0.2 * stage.density):
                car(stage, (float(x), y + side * 4.5), 0 if side > 0 else 180, moving=False)


def _free_house(stage: Stage, at: Point, angle: float) -> None:
    length, width = float(stage.rng.uniform(10, 14)), float(stage.rng.uniform(8, 10))
    if stage.is_free_outline(rectangle(at, length + 2, width + 2, angle), {kind_index("grass")}):
        house(stage, at, length, width, angle)


def _city_block(stage: Stage, lot: Box) -> None:
    width, depth = sides(lot)
    if width < 16 or depth < 16:
        return
    at = middle(lot)
    use = float(stage.rng.random())
    if use < 0.16:
        parking_lot(stage, at, (width - 5, depth - 5), 0)
    elif use < 0.28:
        stage.ground(rectangle(at, width, depth), "lawn", "grass")
        scatter_trees(stage, lot, width * depth / 28, (2.2, 4.2), ("grass",))
    elif use < 0.6:
        court = 0.42
        stage.ground(rectangle(at, width * court, depth * court), "lawn", "grass")
        for side in (-1, 1):
            storeys = float(stage.rng.integers(3, 6))
            block(stage, (at[0], at[1] + side * depth * 0.34), width * 0.94, depth * 0.26, 0, storeys)
            block(stage, (at[0] + side * width * 0.36, at[1]), width * 0.22, depth * 0.4, 0, storeys - 1)
        scatter_trees(stage, lot, 8, (1.8, 3.0), ("grass",))
    else:
        for part in (-1, 1):
            spot = (at[0] + part * width * 0.25, at[1] + float(stage.rng.uniform(-2, 2)))
            block(
                stage,
                spot,
                width * 0.42,
                depth * float(stage.rng.uniform(0.6, 0.9)),
                0,
                float(stage.rng.integers(2, 7)),
            )


def _corner(stage: Stage, lot: Box) -> None:
    width, depth = sides(lot)
    at = middle(lot)
    use = float(stage.rng.random())
    if use < 0.3:
        parking_lot(stage, at, (width * 0.8, depth * 0.8), 0, filled=0.7)
    elif use < 0.65:
        stage.ground(rectangle(at, width, depth), "pavement", "pavement")
        block(stage, at, width * 0.6, depth * 0.55, 0, float(stage.rng.integers(1, 5)))
        if chance(stage, 0.3):
            containers(stage, (at[0], at[1] + depth * 0.4), 1, 3, 0)
    else:
        _free_house(stage, spot_in(stage, lot, 8), 0)
        scatter_trees(stage, lot, width * depth / 45, (2, 4.5), GREENS)
