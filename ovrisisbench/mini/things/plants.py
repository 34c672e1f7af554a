"""Trees with crowns and shadows, hedges, shrubs, and rows of crops."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.shapes import Point, blob, disc, rectangle, ribbon
from ovrisisbench.mini.stage import Box, Stage
from ovrisisbench.mini.things.solids import prism

if TYPE_CHECKING:
    from ovrisisbench.mini.shapes import Outline

__all__ = ["crops", "grove", "hedge", "patches", "scatter_trees", "shrubs", "tree"]


def tree(stage: Stage, at: Point, radius: float, *, kind: str = "tree", conifer: bool = False) -> None:
    """A tree: an uneven crown, lighter towards the sun, and the shadow of it."""
    rng, canvas = stage.rng, stage.canvas
    height = radius * float(rng.uniform(1.8, 2.6)) * (1.4 if conifer else 1.0)
    name = "conifer" if conifer else "tree"
    colour = stage.colour(name, spread=0.12)
    dark, middle, light = (stage.paint(name, kind, shade=shade, like=colour) for shade in (0.72, 1.0, 1.24))
    crown = height * 0.62
    away = canvas.camera.direction(stage.sun)
    turn = float(rng.uniform(0, 2 * math.pi))

    def shade() -> None:
        middle_of = (at[0] + stage.sun[0] * crown, at[1] + stage.sun[1] * crown)
        canvas.shadow(blob(middle_of, radius * 0.96, rng, rough=0.25, corners=12), 225)

    def paint() -> None:
        spot = canvas.camera.spot(at, crown if canvas.camera.is_oblique else 0.0)
        if spot is None:
            return
        x, y, scale = spot
        if not (-radius * scale < x < canvas.size[1] + radius * scale):
            return
        size = radius * scale
        if canvas.camera.is_oblique:
            foot = canvas.camera.spot(at)
            if foot is not None:
                width = max(0.5, 0.09 * size)
                stem = np.array(
                    [[x - width, y], [x + width, y], [foot[0] + width, foot[1]], [foot[0] - width, foot[1]]]
                )
                canvas.fill_picture(stem, stage.paint("trunk", kind), lit=True)
        canvas.fill_picture(blob((x, y), size, rng, rough=0.2), dark, lit=True)
        canvas.fill_picture(blob((x - away[0] * size * 0.1, y - away[1] * size * 0.1), size * 0.8, rng), middle)
        if size < 3:
            return
        clumps = 7 if size > 9 else 4
        for clump in range(clumps):
            angle = turn + 2 * math.pi * clump / clumps + float(rng.uniform(-0.4, 0.4))
            far = size * float(rng.uniform(0.3, 0.62))
            spot_x = x + far * math.cos(angle) - away[0] * size * 0.16
            spot_y = y + far * math.sin(angle) - away[1] * size * 0.16
            towards = -(math.cos(angle) * away[0] + math.sin(angle) * away[1])
            tone = light if towards > 0.15 else middle if towards > -0.5 else dark
            canvas.fill_picture(blob((spot_x, spot_y), size * float(rng.uniform(0.2, 0.33)), rng, corners=9), tone)
        for _ in range(2):
            place = rng.uniform(-0.35, 0.35, 2) * size
            hole = (x + float(place[0]) + away[0] * size * 0.25, y + float(place[1]) + away[1] * size * 0.25)
            canvas.fill_picture(blob(hole, size * 0.13, rng, corners=7), dark)

    stage.stand(at, height, paint, shade=shade, takes=disc(at, radius * 0.55, corners=8))


def _spots(stage: Stage, box: Box, count: float) -> Iterator[Point]:
    """Random points of a box; none where a small picture left it no room and its sides have changed places."""
    if box[2] < box[0] or box[3] < box[1]:
        return
    for _ in range(round(count)):
        yield float(stage.rng.uniform(box[0], box[2])), float(stage.rng.uniform(box[1], box[3]))


def scatter_trees(
    stage: Stage, box: Box, count: float, radius: tuple[float, float], on: Collection[str], *, conifers: float = 0.15
) -> None:
    """Trees at random free spots of a box; ``on`` names the kinds of ground that they grow on."""
    grounds = {kind_index(kind) for kind in on}
    for at in _spots(stage, box, count):
        size = float(stage.rng.uniform(*radius))
        if stage.is_free(at, size * 0.9, grounds):
            tree(stage, at, size, conifer=stage.rng.random() < conifers)


def grove(stage: Stage, centre: Point, size: float, *, radius: tuple[float, float], on: Collection[str]) -> None:
    """Trees that stand close together around a point, ``size`` metres to each side."""
    grounds = {kind_index(kind) for kind in on}
    step = (radius[0] + radius[1]) * 0.62
    outline_of = float(stage.rng.uniform(0, 2 * math.pi))
    for dx in np.arange(-size, size, step):
        for dy in np.arange(-size, size, step):
            jitter = stage.rng.uniform(-0.4, 0.4, 2) * step
            x, y = float(dx + jitter[0]), float(dy + jitter[1])
            border = size * (0.78 + 0.2 * math.sin(3 * math.atan2(y, x) + outline_of))
            at = (centre[0] + x, centre[1] + y)
            if math.hypot(x, y) < border and stage.kind_at(at) in grounds:
                tree(stage, at, float(stage.rng.uniform(*radius)), conifer=stage.rng.random() < 0.2)


def hedge(stage: Stage, start: Point, end: Point, width: float = 1.4) -> None:
    """A clipped hedge."""
    length = math.dist(start, end)
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    outline = rectangle(middle, length, width, angle)
    colour = stage.colour("hedge")
    top = stage.paint("hedge", "hedge", like=colour)

    def paint() -> None:
        prism(stage, outline, 0, 1.2, roof=top, wall=colour, kind="hedge", material="shrub")

    stage.stand(middle, 1.2, paint, shade=lambda: stage.cast(outline, 1.2, 190), takes=outline)


def shrubs(stage: Stage, box: Box, count: float, radius: tuple[float, float] = (0.8, 2.2)) -> None:
    """Low shrubs of chaparral, which are ground: nothing is hidden by them."""
    for at in _spots(stage, box, count):
        size = float(stage.rng.uniform(*radius))
        moved = (at[0] + stage.sun[0] * size * 0.35, at[1] + stage.sun[1] * size * 0.35)
        stage.canvas.shadow(disc(moved, size, corners=8), 200)
        colour = stage.colour("shrub", spread=0.16)
        lower, upper = (stage.paint("shrub", "chaparral", shade=shade, like=colour) for shade in (0.85, 1.15))
        stage.canvas.fill(blob(at, size, stage.rng, rough=0.3, corners=10), lower, lit=True)
        lit = (at[0] - stage.sun[0] * size * 0.2, at[1] - stage.sun[1] * size * 0.2)
        stage.canvas.fill(blob(lit, size * 0.6, stage.rng, rough=0.3, corners=8), upper)


def crops(stage: Stage, outline: Outline, angle: float, *, name: str = "crops", spacing: float | None = None) -> None:
    """A field with rows along ``angle`` degrees; the rows end at its border."""
    colour = stage.colour(name, spread=0.08)
    stage.ground(outline, name, "field", like=colour)
    gap = spacing or float(stage.rng.choice([1.8, 2.4, 3.2, 4.5]))
    between = float(stage.rng.uniform(0.7, 0.86)) if name != "crops" else float(stage.rng.uniform(0.76, 0.9))
    furrow = stage.paint(name, "field", shade=between, like=colour)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    across = outline @ np.array([-sin, cos])
    for place in np.arange(across.min() + gap / 2, across.max(), gap):
        ends = _crossings(outline, np.array([-sin, cos]), place)
        for low, high in zip(ends[::2], ends[1::2], strict=False):
            line = np.array([[cos * t - sin * place, sin * t + cos * place] for t in (low, high)])
            stage.canvas.fill(ribbon(line, gap * 0.42), furrow)
    if stage.rng.random() < 0.6:
        worn = stage.paint(name, "field", shade=0.78, like=colour)
        for place in np.arange(across.min() + 6, across.max() - 3, 14.0):
            for wheel in (-0.9, 0.9):
                ends = _crossings(outline, np.array([-sin, cos]), place + wheel)
                for low, high in zip(ends[::2], ends[1::2], strict=False):
                    spot = place + wheel
                    line = np.array([[cos * t - sin * spot, sin * t + cos * spot] for t in (low, high)])
                    stage.canvas.fill(ribbon(line, 0.5), worn)


def patches(  # noqa: PLR0917 - each is one plain quantity
    stage: Stage, box: Box, name: str, kind: str, count: int, size: tuple[float, float]
) -> None:
    """Uneven patches of another ground, such as worn grass."""
    for at in _spots(stage, box, count):
        stage.ground(blob(at, float(stage.rng.uniform(*size)), stage.rng, rough=0.5, corners=24), name, kind)


def _crossings(outline: Outline, normal: Outline, place: float) -> list[float]:
    """Return where a line crosses an outline, as sorted positions along it."""
    along = np.array([normal[1], -normal[0]])
    found = []
    for first, second in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        here, there = float(first @ normal) - place, float(second @ normal) - place
        if (here < 0) != (there < 0):
            share = here / (here - there)
            found.append(float((first + (second - first) * share) @ along))
    return sorted(found)
