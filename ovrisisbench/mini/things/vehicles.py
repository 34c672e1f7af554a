"""Cars, lorries, and people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.mini.shapes import Point, disc, offset, placed, rectangle
from ovrisisbench.mini.stage import Stage
from ovrisisbench.mini.things.solids import prism

if TYPE_CHECKING:
    from ovrisisbench.mini.shapes import Outline

__all__ = ["CAR", "car", "person", "truck"]

CAR = (4.6, 2.05)
"""Length and width of a car in metres."""
_BODY = ((-0.5, -0.42), (-0.46, -0.5), (0.38, -0.5), (0.5, -0.34), (0.5, 0.34), (0.38, 0.5), (-0.46, 0.5), (-0.5, 0.42))


def car(stage: Stage, at: Point, angle: float, *, moving: bool) -> None:
    """A car that drives on a road, or one that is parked; ``angle`` is where its front points, degrees."""
    kind = "moving car" if moving else "parked car"
    colour = stage.colour("car", spread=0.12)
    length = CAR[0] * float(stage.rng.uniform(0.92, 1.14))
    width = CAR[1] * float(stage.rng.uniform(0.96, 1.06))
    body = placed(_BODY, at, length, width, angle)
    cabin = rectangle(offset(at, angle, -length * 0.06), length * 0.46, width * 0.8, angle)
    roof = rectangle(offset(at, angle, -length * 0.09), length * 0.3, width * 0.72, angle)
    paint_of = stage.paint("car", kind, like=colour)
    glass = stage.paint("windscreen", kind)
    top = stage.paint("car", kind, shade=1.1, like=colour)
    hood = stage.paint("car", kind, shade=0.93, like=colour)

    def paint() -> None:
        prism(stage, body, 0.25, 0.85, roof=paint_of, wall=colour, kind=kind, material="metal")
        stage.canvas.fill(rectangle(offset(at, angle, length * 0.33), length * 0.22, width * 0.74, angle), hood, 0.86)
        prism(stage, cabin, 0.85, 1.4, roof=glass, wall=(46, 54, 66), kind=kind, material="metal")
        stage.canvas.fill(roof, top, 1.45)

    stage.stand(at, 1.4, paint, shade=lambda: stage.cast(body, 1.3, 235), takes=body)


def truck(stage: Stage, at: Point, angle: float, length: float | None = None) -> None:
    """A lorry with a box, or a bus; about eight to fourteen metres long."""
    size = length or float(stage.rng.uniform(8.5, 13.5))
    width = 2.75
    box, cab = stage.colour("truck box"), stage.colour("truck cab")
    is_bus = stage.rng.random() < 0.25
    load = rectangle(offset(at, angle, 0.0 if is_bus else -1.1), size if is_bus else size - 2.2, width, angle)
    front = rectangle(offset(at, angle, size / 2 - 0.9), 1.9, width * 0.94, angle)
    roof, hood = stage.paint("truck box", "truck", like=box), stage.paint("truck cab", "truck", like=cab)
    glass = stage.paint("windscreen", "truck")
    seams = [rectangle(offset(at, angle, (share - 0.5) * size * 0.76 - 0.6), 0.25, width * 0.9, angle) for share in
             (0.1, 0.35, 0.6, 0.85)]  # fmt: skip
    seam = stage.paint("truck box", "truck", shade=0.88, like=box)

    def paint() -> None:
        if not is_bus:
            prism(stage, front, 0.5, 2.4, roof=hood, wall=cab, kind="truck", material="metal")
            stage.canvas.fill(rectangle(offset(at, angle, size / 2 - 0.25), 0.6, width * 0.8, angle), glass, 2.4)
        prism(stage, load, 0.9, 3.3, roof=roof, wall=box, kind="truck", material="metal")
        for outline in seams:
            stage.canvas.fill(outline, seam, 3.3)
        if is_bus:
            stage.canvas.fill(rectangle(offset(at, angle, size / 2 - 0.4), 0.7, width * 0.86, angle), glass, 3.3)

    whole = rectangle(at, size, width, angle)
    stage.stand(at, 3.3, paint, shade=lambda: stage.cast(whole, 3.2, 245), takes=whole)


def person(stage: Stage, at: Point) -> None:
    """Somebody who stands or walks; only for views in which a metre has several pixels."""
    coat, legs = stage.paint("clothes", "human"), stage.paint("trousers", "human")
    skin = stage.paint("human skin", "human")
    lean = float(stage.rng.uniform(-0.12, 0.12))

    def paint() -> None:
        camera = stage.canvas.camera
        foot, head = camera.spot(at), camera.spot(at, 1.75)
        if foot is None or head is None:
            return
        scale = foot[2]
        tall = max(foot[1] - head[1], 0.8 * scale)
        x, y = foot[0], foot[1]

        def part(low: float, high: float, width: float, paint: int) -> None:
            half = width * scale / 2
            corners = [(x - half, y - low * tall), (x + half, y - low * tall)]
            corners += [(x + half + lean * scale, y - high * tall), (x - half + lean * scale, y - high * tall)]
            stage.canvas.fill_picture(np.array(corners), paint, lit=True)

        part(0.0, 0.5, 0.5, legs)
        part(0.42, 0.88, 0.72, coat)
        stage.canvas.fill_picture(_round(x + lean * scale, y - 0.92 * tall, 0.2 * scale), skin, lit=True)

    stage.stand(at, 1.75, paint, shade=lambda: stage.cast(disc(at, 0.25, corners=6), 1.7, 200))


def _round(x: float, y: float, radius: float) -> Outline:
    turns = np.linspace(0, 2 * math.pi, 10, endpoint=False)
    return np.stack([x + np.cos(turns) * radius, y + np.sin(turns) * radius], axis=1)
