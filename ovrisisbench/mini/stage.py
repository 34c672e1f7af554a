"""The stage on which a scene is set: what has been put where, in which colours, and the order of painting."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw

from ovrisisbench.mini.canvas import Canvas, Colour
from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.shapes import Point, hull

if TYPE_CHECKING:
    from ovrisisbench.mini.shapes import Outline
    from ovrisisbench.mini.styles import Palette

__all__ = ["Box", "Stage"]

_CELL: Final = 0.5
"""Metres of a cell of the plan."""
_OUTSIDE: Final = 255
_TAKEN: Final = 254

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in metres."""


@dataclass(frozen=True, slots=True)
class _Standing:
    nearness: float
    paint: Callable[[], None]
    shade: Callable[[], None] | None


@dataclass
class Stage:
    """Everything that a place needs to set a scene.

    Ground is painted at once, in the order of the calls. What stands on it
    waits until :meth:`finish`, which paints far and low things before near
    and high ones.
    """

    canvas: Canvas
    rng: np.random.Generator
    palette: Palette
    own_colours: Mapping[str, tuple[tuple[int, int, int], ...]]
    """Of the style, in the place of the palette's."""
    sun: Point
    """Where the shadow of a thing of one metre ends, in metres from it."""
    density: float
    """How full places are, as a share."""
    _standing: list[_Standing] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.reach = self.canvas.camera.reach
        side = int(2 * self.reach / _CELL) + 1
        self._plan = Image.new("L", (side, side), _OUTSIDE)
        self._draw = ImageDraw.Draw(self._plan)
        self._cells: Any = self._plan.load()
        self._side = side

    @property
    def box(self) -> Box:
        """The square that holds everything visible."""
        return (-self.reach, -self.reach, self.reach, self.reach)

    def colour(self, name: str, *, spread: float = 0.06) -> Colour:
        """Return one of the colours of a name, a little lighter or darker by chance."""
        known = self.own_colours.get(name) or self.palette.colours[name]
        red, green, blue = known[int(self.rng.integers(len(known)))]
        times = 1 + float(self.rng.uniform(-spread, spread))
        lean = self.rng.uniform(-4, 4, 3)
        return red * times + float(lean[0]), green * times + float(lean[1]), blue * times + float(lean[2])

    def paint(self, name: str, kind: str, *, shade: float = 1.0, like: Colour | None = None) -> int:
        """Make a paint.

        Args:
            name: of a colour, which has its material.
            kind: of the thing painted.
            shade: factor of the colour.
            like: the colour itself, where it was chosen before.
        """
        red, green, blue = like or self.colour(name)
        material = self.palette.materials.get(name, "plain")
        return self.canvas.paint((red * shade, green * shade, blue * shade), kind, material)

    def base(self, name: str, kind: str) -> None:
        """Cover the whole ground."""
        self.canvas.fill_all(self.paint(name, kind))
        self._draw.rectangle((0, 0, self._side, self._side), fill=kind_index(kind))

    def ground(self, outline: Outline, name: str, kind: str, *, shade: float = 1.0, like: Colour | None = None) -> None:
        """Cover a part of the ground."""
        self.canvas.fill(outline, self.paint(name, kind, shade=shade, like=like))
        self._note(outline, kind_index(kind))

    def mark(self, outline: Outline, name: str, kind: str, *, shade: float = 1.0) -> None:
        """Paint something on the ground that does not change what may stand there, such as a line on a road."""
        self.canvas.fill(outline, self.paint(name, kind, shade=shade))

    def stand(
        self,
        at: Point,
        height: float,
        paint: Callable[[], None],
        *,
        shade: Callable[[], None] | None = None,
        takes: Outline | None = None,
    ) -> None:
        """Put something on the ground.

        Args:
            at: where.
            height: metres of its top.
            paint: paints it; called by :meth:`finish`.
            shade: casts its shadow; called before.
            takes: outline of the ground on which nothing else may stand.
        """
        camera = self.canvas.camera
        if takes is not None:
            self._note(takes, _TAKEN)
        if self._may_be_seen(at, height, takes):
            self._standing.append(_Standing(-camera.depth(at) if camera.is_oblique else height, paint, shade))

    def cast(self, outline: Outline, height: float, depth: int = 255) -> None:
        """Cast the shadow of something of one outline and height."""
        moved = outline + np.array(self.sun) * height
        self.canvas.shadow(hull(np.concatenate([outline, moved])), depth)

    def kind_at(self, point: Point) -> int:
        """Return the number of the kind of the ground at a point; above all kinds where something stands or outside."""
        x, y = int((point[0] + self.reach) / _CELL), int((point[1] + self.reach) / _CELL)
        if not (0 <= x < self._side and 0 <= y < self._side):
            return _OUTSIDE
        return int(self._cells[x, y])

    def is_free(self, centre: Point, radius: float, kinds: Collection[int]) -> bool:
        """Tell whether the ground around a point is of the given kinds and nothing stands there."""
        if self.kind_at(centre) not in kinds:
            return False
        for turn in (0.0, 1.05, 2.1, 3.14, 4.2, 5.24):
            if self.kind_at((centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn))) not in kinds:
                return False
        return True

    def is_free_outline(self, outline: Outline, kinds: Collection[int]) -> bool:
        """Tell whether corners, middles of sides and centre of an outline are of the given kinds and free."""
        middle = outline.mean(axis=0)
        following = np.concatenate([outline[1:], outline[:1]])
        points: list[Point] = np.concatenate([[middle], outline, (outline + following) / 2]).tolist()
        return all(self.kind_at(point) in kinds for point in points)

    def finish(self) -> None:
        """Paint everything that stands on the ground."""
        order = sorted(self._standing, key=lambda standing: standing.nearness)
        if self.canvas.camera.is_oblique:
            # Seen at an angle, a shadow lies behind whatever stands in front of it.
            for standing in order:
                if standing.shade:
                    standing.shade()
        for standing in order:
            if standing.shade and not self.canvas.camera.is_oblique:
                standing.shade()
            standing.paint()
        self._standing.clear()

    def _may_be_seen(self, at: Point, height: float, takes: Outline | None) -> bool:
        """Tell whether a thing, its shadow included, may lie in the picture."""
        spot = self.canvas.camera.spot(at)
        if spot is None:
            return False
        x, y, scale = spot
        half = 6.0 if takes is None else float(np.abs(takes - at).max()) * 1.5
        margin = (half + 1.0 + height * (1.5 + math.hypot(*self.sun))) * scale
        rows, columns = self.canvas.size
        return -margin < x < columns + margin and -margin < y < rows + margin

    def _note(self, outline: Outline, value: int) -> None:
        cells = ((outline + self.reach) / _CELL).ravel().tolist()
        if len(cells) >= 6:
            self._draw.polygon(cells, fill=value)
