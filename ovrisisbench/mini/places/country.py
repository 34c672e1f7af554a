"""Places without many people: farmland, forest, chaparral, parks, golf courses, building sites."""

from __future__ import annotations

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.places.common import around, chance, cover, middle, people, ragged, sides, spot_in
from ovrisisbench.mini.shapes import blob, offset, rectangle, ribbon
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.buildings import block, containers, house
from ovrisisbench.mini.things.plants import crops, grove, patches, scatter_trees, shrubs, tree
from ovrisisbench.mini.things.roads import road, traffic
from ovrisisbench.mini.things.vehicles import truck

__all__ = ["building_site", "chaparral", "farmland", "forest", "golf", "heap", "park", "pond"]


def farmland(stage: Stage, box: Box) -> None:
    """Fields of several crops with rows, lanes and lines of trees between them, and a farm."""
    cover(stage, box, "meadow", "grass")
    turn = float(stage.rng.choice([0.0, 0.0, 90.0]))
    for part in _split(stage, box, 34 + 26 * (1 - stage.density)):
        kind = str(stage.rng.choice(["crops", "crops", "ripe crops", "ploughed", "meadow"]))
        lot = (part[0] + 1.2, part[1] + 1.2, part[2] - 1.2, part[3] - 1.2)
        outline = rectangle(middle(lot), *sides(lot))
        if kind == "meadow":
            stage.ground(outline, "meadow", "grass")
            scatter_trees(stage, lot, 2, (2, 4), ("grass",))
        elif kind == "ploughed" and chance(stage, 0.4):
            stage.ground(outline, "bare soil", "bare soil")
        else:
            crops(
                stage, outline, turn + float(stage.rng.choice([0, 0, 90])) + float(stage.rng.uniform(-2, 2)), name=kind
            )
        if chance(stage, 0.3):
            for x in np.arange(part[0], part[2], float(stage.rng.uniform(5, 9))):
                tree(stage, (float(x), part[1]), float(stage.rng.uniform(1.8, 3.4)))
    if chance(stage, 0.55):
        line = ragged(stage, (box[0], around(stage, box, 0.2)[1]), (box[2], around(stage, box, 0.2)[1]), 3)
        road(stage, line, 5.6, pavement=0, marked=chance(stage, 0.5))
        traffic(stage, line, 5.6, 50, trucks=0.3)
    if chance(stage, 0.5):
        at = around(stage, box, 0.25)
        stage.ground(blob(at, 17, stage.rng, rough=0.15), "bare soil", "bare soil")
        house(stage, offset(at, 20, 8), 13, 9, 12)
        block(stage, offset(at, 200, 8), 19, 10, 12, 2, roof="metal roof")
        truck(stage, offset(at, 100, 10), 50, 7.5)
        tree(stage, offset(at, 300, 12), 3.5)


def forest(stage: Stage, box: Box) -> None:
    """Trees close together, with a clearing and a path."""
    cover(stage, box, "meadow", "grass")
    at = spot_in(stage, box)
    clearing = blob(at, float(stage.rng.uniform(8, 18)), stage.rng, rough=0.4, corners=24)
    stage.ground(clearing, str(stage.rng.choice(["bare soil", "dry grass"])), "bare soil")
    if chance(stage, 0.5):
        stage.ground(ribbon(ragged(stage, (box[0], at[1]), (box[2], middle(box)[1]), 8), 3), "path", "bare soil")
    grove(stage, middle(box), max(sides(box)) * 0.75, radius=(2.2, 4.4), on=("grass",))


def chaparral(stage: Stage, box: Box) -> None:
    """Shrubs on dry ground, with bare washes."""
    cover(stage, box, "chaparral ground", "chaparral")
    patches(stage, box, "dry grass", "chaparral", 8, (4, 12))
    wash = ribbon(ragged(stage, (box[0], spot_in(stage, box)[1]), (box[2], spot_in(stage, box)[1]), 8), 4.5)
    if chance(stage, 0.5):
        stage.ground(wash, "sand", "sand")
    shrubs(stage, box, sides(box)[0] * sides(box)[1] / (24 - 11 * stage.density))
    if chance(stage, 0.25):
        scatter_trees(stage, box, 8, (2, 3.6), ("chaparral",))


def park(stage: Stage, box: Box) -> None:
    """Lawns with winding paths, a pond, trees alone and in groups, and people."""
    cover(stage, box, "lawn", "grass")
    patches(stage, box, "dry grass", "grass", 10, (3, 10))
    for _ in range(3):
        ends = (box[0], spot_in(stage, box)[1]), (box[2], spot_in(stage, box)[1])
        if chance(stage, 0.5):
            ends = (spot_in(stage, box)[0], box[1]), (spot_in(stage, box)[0], box[3])
        stage.ground(ribbon(ragged(stage, *ends, 9), float(stage.rng.uniform(3, 4.5))), "pavement", "pavement")
    if chance(stage, 0.5):
        pond(stage, spot_in(stage, box, 12), float(stage.rng.uniform(9, 17)))
    if chance(stage, 0.5):
        patches(stage, box, "bare soil", "bare soil", 3, (4, 8))
    for _ in range(3):
        grove(stage, spot_in(stage, box), float(stage.rng.uniform(8, 16)), radius=(2.2, 4.2), on=("grass",))
    area = sides(box)[0] * sides(box)[1]
    scatter_trees(stage, box, area / 120 * stage.density, (2, 4.8), ("grass",))
    people(stage, box, area / 130, ("pavement", "grass"))


def golf(stage: Stage, box: Box) -> None:
    """Fairways and greens among trees, with bunkers and a pond."""
    cover(stage, box, "meadow", "grass")
    for _ in range(3):
        line = ragged(stage, spot_in(stage, box), spot_in(stage, box), 8)
        stage.ground(ribbon(line, float(stage.rng.uniform(16, 26))), "pitch", "grass")
        end = (float(line[-1][0]), float(line[-1][1]))
        stage.ground(blob(end, 10, stage.rng, rough=0.2), "lawn", "grass", shade=1.12)
        for turn in range(3):
            spot = offset(end, turn * 120 + float(stage.rng.uniform(0, 70)), float(stage.rng.uniform(12, 17)))
            stage.ground(
                blob(spot, float(stage.rng.uniform(4, 7.5)), stage.rng, rough=0.45, corners=20), "sand", "sand"
            )
    if chance(stage, 0.6):
        pond(stage, spot_in(stage, box, 10), float(stage.rng.uniform(10, 16)))
    for _ in range(4):
        grove(stage, spot_in(stage, box), float(stage.rng.uniform(8, 15)), radius=(2.2, 4.2), on=("grass",))
    scatter_trees(stage, box, sides(box)[0] * sides(box)[1] / 160, (2, 4.4), ("grass",))


def building_site(stage: Stage, box: Box) -> None:
    """Bare soil with tracks, heaps, containers, lorries and a building in the making."""
    cover(stage, box, "bare soil", "bare soil")
    patches(stage, box, "bare soil", "bare soil", 10, (4, 14))
    line = ragged(stage, (box[0], around(stage, box)[1]), (box[2], around(stage, box)[1]), 6)
    stage.ground(ribbon(line, 7), "path", "bare soil")
    at = around(stage, box, 0.12)
    block(stage, at, float(stage.rng.uniform(22, 34)), float(stage.rng.uniform(14, 20)), 0, 2, roof="flat roof")
    for _ in range(int(3 + 4 * stage.density)):
        spot = spot_in(stage, box, 6)
        if stage.is_free(spot, 6, {kind_index("bare soil")}):
            if chance(stage, 0.5):
                truck(stage, spot, float(stage.rng.uniform(0, 360)), 8.5)
            else:
                heap(stage, spot)
    for _ in range(3):
        spot = spot_in(stage, box, 8)
        if stage.is_free(spot, 8, {kind_index("bare soil")}):
            containers(stage, spot, 2, 2, float(stage.rng.uniform(0, 180)))
    patches(stage, box, "dry grass", "grass", 3, (5, 12))
    scatter_trees(stage, box, sides(box)[0] * sides(box)[1] / 260, (2, 4), ("grass",))
    people(stage, box, 14, ("bare soil",))


def pond(stage: Stage, at: tuple[float, float], radius: float) -> None:
    """A pond with a muddy border."""
    shape = blob((0.0, 0.0), radius, stage.rng, rough=0.35, corners=36)
    stage.ground(shape * 1.1 + at, "wet sand", "bare soil")
    stage.ground(shape + at, "lake", "water")


def heap(stage: Stage, at: tuple[float, float]) -> None:
    """A heap of rubble, or things under a tarpaulin."""
    name = "debris" if chance(stage, 0.7) else "tarpaulin"
    radius = float(stage.rng.uniform(2.2, 4.5))
    colour = stage.colour(name)
    moved = (at[0] + stage.sun[0] * 1.2, at[1] + stage.sun[1] * 1.2)
    stage.canvas.shadow(blob(moved, radius, stage.rng, rough=0.3), 200)
    stage.ground(blob(at, radius, stage.rng, rough=0.35), name, "clutter", shade=0.88, like=colour)
    lit = (at[0] - stage.sun[0] * 0.5, at[1] - stage.sun[1] * 0.5)
    stage.canvas.fill(
        blob(lit, radius * 0.6, stage.rng, rough=0.35), stage.paint(name, "clutter", shade=1.12, like=colour)
    )


def _split(stage: Stage, box: Box, least: float) -> list[Box]:
    width, depth = sides(box)
    if max(width, depth) < 2 * least or (max(width, depth) < 3 * least and chance(stage, 0.3)):
        return [box]
    share = float(stage.rng.uniform(0.35, 0.65))
    if width > depth:
        x = box[0] + width * share
        parts = [(box[0], box[1], x, box[3]), (x, box[1], box[2], box[3])]
    else:
        y = box[1] + depth * share
        parts = [(box[0], box[1], box[2], y), (box[0], y, box[2], box[3])]
    return [small for part in parts for small in _split(stage, part, least)]
