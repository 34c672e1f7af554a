"""Places of traffic and industry: aprons, runways, heliports, tank farms, depots."""

from __future__ import annotations

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.places.common import GREENS, around, chance, cover, middle, sides, spot_in
from ovrisisbench.mini.shapes import disc, rectangle, ribbon, ring_part
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.buildings import block, containers, tank
from ovrisisbench.mini.things.craft import helicopter, plane
from ovrisisbench.mini.things.plants import scatter_trees
from ovrisisbench.mini.things.roads import parking_lot, road, straight, traffic
from ovrisisbench.mini.things.vehicles import car, truck

__all__ = ["apron", "depot", "heliport", "runway", "tank_farm"]


def apron(stage: Stage, box: Box) -> None:
    """Planes on an apron at a terminal, or small ones in rows, with service vehicles."""
    cover(stage, box, str(stage.rng.choice(["runway", "pavement"])), "pavement")
    _joints(stage, box)
    width, depth = sides(box)
    at = around(stage, box, 0.04)
    small = chance(stage, 0.35)
    length = float(stage.rng.uniform(11, 14.5)) if small else float(stage.rng.uniform(26, 42))
    pitch = length * 1.22
    if small:
        grass = (box[0], box[3] - depth * 0.2, box[2], box[3])
        stage.ground(rectangle(middle(grass), *sides(grass)), "dry grass", "grass")
        for y in np.arange(at[1] - depth * 0.3, at[1] + depth * 0.2, pitch * 1.25):
            stage.mark(ribbon(straight((box[0], float(y) + pitch * 0.66), (box[2], float(y) + pitch * 0.66)), 0.5),
                       "yellow line", "pavement")  # fmt: skip
            for x in np.arange(box[0] + pitch / 2, box[2], pitch):
                if chance(stage, 0.3 + 0.6 * stage.density):
                    plane(stage, (float(x), float(y)), float(stage.rng.choice([86, 90, 94, 270])), length)
        return
    stage.mark(ribbon(straight((box[0], at[1] + length * 0.8), (box[2], at[1] + length * 0.8)), 0.7), "yellow line",
               "pavement")  # fmt: skip
    for x in np.arange(at[0] - pitch * 3, box[2], pitch):
        if box[0] < x:
            lead = straight((float(x), at[1] - length * 0.4), (float(x), at[1] + length * 0.8))
            stage.mark(ribbon(lead, 0.6), "yellow line", "pavement")
            if chance(stage, 0.45 + 0.5 * stage.density):
                nose = -90 + float(stage.rng.uniform(-5, 5))
                plane(stage, (float(x), at[1]), nose, length * float(stage.rng.uniform(0.85, 1.05)))
            service = (float(x) + pitch / 2, at[1] + float(stage.rng.uniform(-0.5, 0.2)) * length)
            if stage.is_free(service, 2.5, {kind_index("pavement")}):
                truck(stage, service, 90, 8)
    block(stage, (at[0], at[1] - length * 0.62 - 16), width * 0.8, 24, 0, 3, roof="flat roof")
    for _ in range(4):
        spot = spot_in(stage, box, 6)
        if stage.is_free(spot, 3, {kind_index("pavement")}):
            car(stage, spot, float(stage.rng.uniform(0, 360)), moving=False)
    beyond = (box[0], at[1] + length * 1.25, box[2], box[3])
    if sides(beyond)[1] > 4:
        stage.ground(rectangle(middle(beyond), *sides(beyond)), "grass", "grass")


def runway(stage: Stage, box: Box) -> None:
    """A runway with its markings between mown grass, a plane on it now and then."""
    cover(stage, box, str(stage.rng.choice(["grass", "dry grass"])), "grass")
    at = around(stage, box, 0.1)
    wide = float(stage.rng.uniform(26, 40))
    stage.ground(rectangle(at, sides(box)[0] * 1.1, wide + 8), "asphalt", "runway")
    stage.ground(rectangle(at, sides(box)[0] * 1.1, wide), "runway", "runway")
    for x in np.arange(box[0], box[2], 22.0):
        stage.mark(rectangle((float(x), at[1]), 12, 0.9), "line", "runway")
    for side in (-1, 1):
        stage.mark(rectangle((at[0], at[1] + side * (wide / 2 - 1.4)), sides(box)[0] * 1.1, 0.7), "line", "runway")
    for _ in range(9):
        streak = (spot_in(stage, box)[0], at[1] + float(stage.rng.uniform(-5, 5)))
        stage.mark(rectangle(streak, float(stage.rng.uniform(12, 34)), 0.9), "runway", "runway", shade=0.78)
    if chance(stage, 0.6):
        plane(stage, (around(stage, box, 0.15)[0], at[1]), float(stage.rng.choice([0, 180])), 34)
    if chance(stage, 0.5):
        way = straight((at[0] - 14, at[1] + wide / 2), (at[0] + 6, box[3]), 4)
        stage.ground(ribbon(way, 15), "asphalt", "runway")
        stage.mark(ribbon(way, 0.6), "yellow line", "runway")


def heliport(stage: Stage, box: Box) -> None:
    """Helicopters on marked pads, hangars and parked cars."""
    cover(stage, box, str(stage.rng.choice(["pavement", "grass"])), "pavement")
    at = around(stage, box, 0.03)
    pitch = 21.0
    block(stage, (at[0], at[1] - pitch * 2.1), 44, 18, 0, 2, roof="metal roof")
    for row in (-1, 0, 1, 2):
        for column in (-2, -1, 0, 1, 2):
            spot = (at[0] + column * pitch, at[1] + (row - 0.1) * pitch)
            stage.ground(rectangle(spot, 18, 18), "helipad", "pavement")
            stage.mark(ring_part(spot, 7.6, 8.3, 0, 360), "line", "pavement")
            for side in (-1, 1):
                stage.mark(rectangle((spot[0] + side * 1.6, spot[1]), 0.7, 4.6), "line", "pavement")
            stage.mark(rectangle(spot, 3.2, 0.7), "line", "pavement")
            if chance(stage, 0.45 + 0.5 * stage.density):
                helicopter(stage, spot, float(stage.rng.uniform(0, 360)), float(stage.rng.uniform(14, 18)))
    parking_lot(stage, (at[0] + 40, at[1] - pitch * 2.1), (26, 17), 0)
    scatter_trees(stage, box, 20, (2, 3.6), ("grass",))


def tank_farm(stage: Stage, box: Box) -> None:
    """Storage tanks in their containments, pipes, a road and a few lorries."""
    cover(stage, box, str(stage.rng.choice(["grass", "bare soil", "dry grass"])), "grass")
    at = around(stage, box, 0.06)
    radius = float(stage.rng.uniform(7, 16))
    pitch = 2 * radius + float(stage.rng.uniform(6, 11))
    span = max(sides(box)) / 2
    reach = int(span // pitch) + 1
    line = straight((box[0], at[1] + pitch / 2), (box[2], at[1] + pitch / 2))
    for row in range(-reach, reach + 1):
        for column in range(-reach, reach + 1):
            spot = (at[0] + column * pitch, at[1] + row * pitch + (9 if row > 0 else 0))
            if not (box[0] - radius < spot[0] < box[2] + radius and box[1] - radius < spot[1] < box[3] + radius):
                continue
            stage.ground(rectangle(spot, pitch - 2.4, pitch - 2.4), "containment", "bare soil")
            if chance(stage, 0.4 + 0.5 * stage.density):
                tank(stage, spot, radius * float(stage.rng.uniform(0.8, 1.0)))
            else:
                for x in (-1, 1):
                    for y in (-1, 1):
                        tank(stage, (spot[0] + x * radius * 0.5, spot[1] + y * radius * 0.5), radius * 0.4)
        pipe = ribbon(
            straight((box[0], at[1] + row * pitch + pitch * 0.47), (box[2], at[1] + row * pitch + pitch * 0.47)), 1.0
        )
        stage.mark(pipe, "fence", "clutter")
    road(stage, (line + np.array([0.0, 4.5])), 7, pavement=0)
    traffic(stage, line + np.array([0.0, 4.5]), 7, 26, trucks=0.8)


def depot(stage: Stage, box: Box) -> None:
    """Halls with metal roofs, rows of parked lorries, containers and heaps."""
    cover(stage, box, str(stage.rng.choice(["parking", "pavement"])), "pavement")
    _, depth = sides(box)
    at = around(stage, box, 0.05)
    halls = np.arange(box[0] + 26, box[2], 58)
    for x in halls:
        block(stage, (float(x), at[1] - depth * 0.27), 46, depth * 0.24, 0, 3, roof="metal roof")
    for row in range(2):
        y = at[1] + row * 24 + 4
        for x in np.arange(box[0] + 3, box[2], 4.4):
            stage.mark(rectangle((float(x) - 2.2, y), 0.2, 14), "line", "pavement", shade=0.9)
            if chance(stage, 0.3 + 0.55 * stage.density):
                truck(stage, (float(x), y), 90 if chance(stage, 0.7) else -90)
    line = straight((box[0], at[1] + 15.5), (box[2], at[1] + 15.5))
    traffic(stage, line, 8, 40, trucks=0.8)
    for x in np.arange(box[0] + 16, box[2], 38):
        containers(stage, (float(x), at[1] + depth * 0.36), 4, 4, 0)
    scatter_trees(stage, box, 10, (2, 3.5), GREENS)


def _joints(stage: Stage, box: Box) -> None:
    """The joints between slabs of concrete."""
    for x in np.arange(box[0], box[2], 9.0):
        stage.mark(ribbon(straight((float(x), box[1]), (float(x), box[3])), 0.35), "runway", "pavement", shade=0.86)
    for y in np.arange(box[1], box[3], 9.0):
        stage.mark(ribbon(straight((box[0], float(y)), (box[2], float(y))), 0.35), "runway", "pavement", shade=0.86)
    for _ in range(6):
        stage.mark(
            disc(spot_in(stage, box), float(stage.rng.uniform(0.8, 2.2)), corners=12), "runway", "pavement", shade=0.8
        )
