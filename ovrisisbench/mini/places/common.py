"""What several places need: covering their ground, choosing spots, and people."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.shapes import Point, rectangle
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.vehicles import person

if TYPE_CHECKING:
    from ovrisisbench.mini.shapes import Outline

__all__ = ["GREENS", "around", "chance", "cover", "middle", "outline_of", "people", "ragged", "sides", "spot_in"]

GREENS: Final = ("grass", "bare soil")
"""Kinds of ground on which trees are scattered."""
_PIXELS_OF_A_PERSON: Final = 3.6
"""Pixels a metre from which people are drawn."""


def cover(stage: Stage, box: Box, name: str, kind: str) -> None:
    """Cover the ground of a place."""
    if box == stage.box:
        stage.base(name, kind)
    else:
        stage.ground(outline_of(box), name, kind)


def outline_of(box: Box) -> Outline:
    """Return a box as an outline."""
    return rectangle(middle(box), *sides(box))


def middle(box: Box) -> Point:
    """Return the middle of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def sides(box: Box) -> tuple[float, float]:
    """Return width and depth of a box in metres."""
    return box[2] - box[0], box[3] - box[1]


def around(stage: Stage, box: Box, share: float = 0.1) -> Point:
    """Return a point near the middle of a box, off by up to ``share`` of its sides."""
    x, y = middle(box)
    width, depth = sides(box)
    return x + float(stage.rng.uniform(-share, share)) * width, y + float(stage.rng.uniform(-share, share)) * depth


def spot_in(stage: Stage, box: Box, margin: float = 0.0) -> Point:
    """Return a random point of a box."""
    return (
        float(stage.rng.uniform(box[0] + margin, max(box[2] - margin, box[0] + margin + 0.1))),
        float(stage.rng.uniform(box[1] + margin, max(box[3] - margin, box[1] + margin + 0.1))),
    )


def chance(stage: Stage, share: float) -> bool:
    """Return true in about ``share`` of the calls."""
    return bool(stage.rng.random() < share)


def people(stage: Stage, box: Box, count: float, on: Collection[str]) -> None:
    """Put people on free ground, most of them in small groups; none seen from above or as dots."""
    here = stage.canvas.camera.spot((0.0, 0.0))
    if not stage.canvas.camera.is_oblique or here is None or here[2] < _PIXELS_OF_A_PERSON:
        return
    kinds = {kind_index(kind) for kind in on}
    for _ in range(round(count)):
        at = spot_in(stage, box)
        for member in range(int(stage.rng.integers(1, 4))):
            turn = float(stage.rng.uniform(0, 2 * math.pi))
            own = (at[0] + member * math.cos(turn), at[1] + member * math.sin(turn))
            if stage.kind_at(own) in kinds:
                person(stage, own)


def ragged(stage: Stage, start: Point, end: Point, rough: float, steps: int = 40) -> Outline:
    """Return a natural line from one point to another, (steps, 2), that strays by about ``rough`` metres."""
    shares = np.linspace(0, 1, steps)
    line = np.array(start) + (np.array(end) - np.array(start)) * shares[:, None]
    across = np.array([start[1] - end[1], end[0] - start[0]]) / max(math.dist(start, end), 1e-6)
    stray = np.zeros(steps)
    for wave in range(1, 7):
        stray += (
            float(stage.rng.normal()) / wave * np.sin(wave * math.pi * 1.3 * shares + float(stage.rng.uniform(0, 6)))
        )
    strayed: Outline = line + across * (stray * rough)[:, None]
    return strayed
