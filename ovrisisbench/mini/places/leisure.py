"""Places of sport: a stadium, courts, diamonds, baths."""

from __future__ import annotations

import numpy as np

from ovrisisbench.mini.places.common import GREENS, around, chance, cover, people, sides
from ovrisisbench.mini.shapes import offset, rectangle
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.buildings import block
from ovrisisbench.mini.things.plants import scatter_trees
from ovrisisbench.mini.things.roads import parking_lot, road, straight, traffic
from ovrisisbench.mini.things.sports import (
    baseball_diamond,
    basketball_court,
    pool,
    running_track,
    soccer_field,
    tennis_court,
)

__all__ = ["baths", "courts", "diamonds", "pitches", "stadium"]


def stadium(stage: Stage, box: Box) -> None:
    """A running track around a soccer field, with a stand and parked cars."""
    cover(stage, box, "grass", "grass")
    at = around(stage, box, 0.03)
    width, depth = sides(box)
    length = min(width * 0.84, 168.0)
    high = min(depth * 0.62, length * 0.56)
    running_track(stage, at, 0, length, high)
    block(stage, (at[0], at[1] - high / 2 - 9), length * 0.5, 9, 0, 2, roof="metal roof")
    parking_lot(stage, (at[0], at[1] + high / 2 + 14), (length * 0.7, 17), 0, filled=0.5)
    scatter_trees(stage, box, width * depth / 110, (2, 4.2), ("grass",))


def courts(stage: Stage, box: Box) -> None:
    """Tennis and basketball courts side by side, with paths and trees."""
    cover(stage, box, str(stage.rng.choice(["grass", "lawn"])), "grass")
    at = around(stage, box, 0.03)
    width, depth = sides(box)
    columns, rows = max(1, int(width * 0.9 // 40)), max(2, int(depth * 0.86 // 21))
    mixed = float(stage.rng.choice([0.3, 0.5, 0.7]))
    stage.ground(rectangle(at, columns * 40 + 4, rows * 21 + 4), "pavement", "pavement")
    for column in range(columns):
        for row in range(rows):
            spot = (at[0] + (column - (columns - 1) / 2) * 40, at[1] + (row - (rows - 1) / 2) * 21)
            if chance(stage, 0.12):
                stage.ground(rectangle(spot, 38, 19), "lawn", "grass")
            elif chance(stage, mixed):
                basketball_court(stage, spot, 0)
            else:
                tennis_court(stage, spot, 0)
    line = straight((box[0], at[1] + rows * 10.5 + 9), (box[2], at[1] + rows * 10.5 + 9))
    road(stage, line, 7)
    traffic(stage, line, 7, 24)
    scatter_trees(stage, box, width * depth / 60, (2, 4.2), ("grass",))
    people(stage, box, 10, ("pavement",))


def diamonds(stage: Stage, box: Box) -> None:
    """Baseball diamonds, back to back where there is room."""
    cover(stage, box, "grass", "grass")
    at = around(stage, box, 0.03)
    width, depth = sides(box)
    radius = min(width, depth) * 0.44
    turns = (0, 90, 180, 270) if min(width, depth) > 150 else (float(stage.rng.choice([45, 225])),)
    for turn in turns:
        big = len(turns) == 1
        home = offset(at, turn + 180 if big else turn, radius * 0.45 if big else 6)
        baseball_diamond(stage, home, radius * (1.0 if big else 0.92), turn)
    if chance(stage, 0.5):
        parking_lot(stage, (box[0] + width * 0.18, box[3] - depth * 0.1), (30, 17), 0, filled=0.6)
    scatter_trees(stage, box, width * depth / 100, (2, 4.4), GREENS[:1])


def pitches(stage: Stage, box: Box) -> None:
    """Soccer fields with trees around."""
    cover(stage, box, "grass", "grass")
    at = around(stage, box, 0.04)
    width, depth = sides(box)
    if width > 190:
        for side in (-1, 1):
            soccer_field(stage, (at[0] + side * width * 0.24, at[1]), 90)
    else:
        soccer_field(stage, at, 0, min(96.0, width * 0.8), min(62.0, depth * 0.56))
    scatter_trees(stage, box, width * depth / 90, (2, 4.4), ("grass",))


def baths(stage: Stage, box: Box) -> None:
    """Swimming pools on lawns, with a building and a parking lot."""
    cover(stage, box, "lawn", "grass")
    at = around(stage, box, 0.03)
    width, depth = sides(box)
    stage.ground(rectangle(at, min(width * 0.8, 92), min(depth * 0.5, 54)), "coping", "pavement")
    pool(stage, (at[0] - 16, at[1]), 44, 20, 0)
    pool(stage, (at[0] + 24, at[1] - 9), 22, 12, 0)
    pool(stage, (at[0] + 24, at[1] + 10), 13, 9, 0)
    block(stage, (at[0], at[1] - depth * 0.25 - 12), 46, 14, 0, 2)
    parking_lot(stage, (at[0], at[1] + depth * 0.25 + 14), (52, 17), 0)
    for x in np.arange(box[0], box[2], 60):
        pool(stage, (float(x), box[3] - depth * 0.07), 12, 6, 0)
    scatter_trees(stage, box, width * depth / 80, (2, 4.2), ("grass",))
    people(stage, box, 30, ("grass", "pavement"))
