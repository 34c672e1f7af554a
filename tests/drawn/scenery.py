"""Places seen from above, painted by rule: a picture, its near infrared band and its class map.

Colours are true to life on average: vegetation is green and very bright in the
near infrared, water is dark, streets, roofs and cars are neither; what has no
data is exactly black.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Bands = tuple[int, int, int, int]
"""Red, green, blue, near infrared."""
Point = tuple[float, float]
"""(x, y) in pixels from the upper left."""


@dataclass(frozen=True)
class Scene:
    """One drawn image of a download."""

    name: str
    """As the prepared data set calls it."""
    split: str
    picture: np.ndarray
    """(H, W, 3) uint8, red, green, blue."""
    labels: np.ndarray
    """(H, W) uint8, position of the class among the card's classes and, behind them, its other labels."""
    infrared: np.ndarray
    """(H, W) uint8."""


@dataclass(frozen=True)
class Look:
    """How one kind of thing looks."""

    shape: str
    colours: tuple[Bands, ...]
    rough: float = 0.06
    on: tuple[str, ...] = ()
    """Kinds that it stands on, if the place has any of them."""
    share: float = 1.0
    """Of the ground, in proportion to the other kinds."""
    shadow: float = 0.0
    """Length in hundredths of the side of the picture."""


_STREETS = ("road", "pavement")
_ROOFS: tuple[Bands, ...] = (
    (166, 88, 66, 172), (142, 141, 146, 140), (206, 204, 200, 196), (118, 94, 82, 116), (92, 96, 106, 94),
)  # fmt: skip
_PAINTS: tuple[Bands, ...] = (
    (186, 44, 42, 178), (228, 228, 225, 224), (58, 84, 150, 66), (44, 45, 50, 46), (196, 172, 74, 190),
    (140, 144, 150, 142),
)  # fmt: skip

LOOKS: dict[str, Look] = {
    "grass": Look("area", ((106, 140, 76, 202), (124, 146, 88, 194), (88, 128, 66, 208)), 0.09),
    "trees": Look("area", ((48, 86, 42, 196), (58, 92, 48, 184), (42, 74, 38, 204)), 0.34, share=0.8),
    "crops": Look("parcels", ((134, 158, 82, 196), (92, 132, 62, 214), (158, 170, 98, 186), (112, 146, 72, 206)), 0.07),
    "chaparral": Look("area", ((118, 134, 84, 164), (104, 124, 74, 172)), 0.4),
    "soil": Look("area", ((168, 136, 106, 176), (146, 116, 88, 156)), 0.1, share=0.7),
    "sand": Look("area", ((218, 193, 160, 222), (206, 180, 146, 210)), 0.05),
    "water": Look("area", ((34, 60, 92, 14), (42, 66, 90, 18)), 0.07, share=0.7),
    "sea": Look("area", ((22, 50, 96, 9), (28, 62, 112, 12)), 0.08),
    "pavement": Look("area", ((124, 123, 126, 124), (150, 149, 150, 147)), 0.05),
    "clutter": Look("area", ((150, 138, 130, 150), (112, 104, 104, 114), (176, 160, 148, 174)), 0.22, share=0.6),
    "road": Look("strip", ((104, 104, 108, 106), (126, 125, 127, 125)), 0.05),
    "building": Look("block", _ROOFS, 0.05, shadow=2.6),
    "wall": Look("front", ((188, 176, 160, 182), (150, 134, 122, 150)), 0.12),
    "court": Look("court", ((158, 82, 74, 162), (72, 92, 146, 80)), 0.03),
    "mobile home": Look("long block", ((222, 218, 208, 214), (170, 176, 186, 168)), 0.04, shadow=1.2),
    "dock": Look("slab", ((176, 168, 156, 170), (150, 144, 136, 148)), 0.06, on=("water", "sea")),
    "tank": Look("disc", ((232, 230, 224, 226), (206, 204, 198, 202)), 0.03, shadow=2.4),
    "plane": Look("plane", ((236, 237, 240, 234), (216, 218, 224, 214)), 0.02, on=("pavement",), shadow=1.4),
    "ship": Look("ship", ((234, 232, 228, 226), (190, 70, 60, 184)), 0.03, on=("water", "sea"), shadow=0.8),
    "car": Look("car", _PAINTS, 0.03, on=_STREETS, shadow=0.6),
    "parked car": Look("car", _PAINTS, 0.03, on=("clutter", "pavement", "grass"), shadow=0.6),
    "person": Look("person", ((172, 60, 62, 166), (60, 62, 78, 62), (214, 196, 90, 206)), 0.02, on=("road", "clutter")),
    "no data": Look("wedge", ((0, 0, 0, 0),), 0.0),
}  # fmt: skip
_ORDER = (
    "strip", "slab", "court", "block", "long block", "disc", "crown", "plane", "ship", "car", "person", "wedge",
)  # fmt: skip
_HOW_MANY = {
    "strip": (2, 4), "slab": (4, 7), "court": (2, 4), "block": (5, 10), "long block": (12, 18), "disc": (5, 9),
    "crown": (9, 16), "plane": (2, 4), "ship": (7, 12), "car": (12, 18), "person": (8, 12), "wedge": (1, 2),
}  # fmt: skip


def paint(
    kinds: Mapping[int, str], height: int, width: int, *, seed: int, car: float = 0.03
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paint one place.

    Args:
        kinds: class -> what it looks like, a key of ``LOOKS``; at least one of them covers ground.
        height: pixels.
        width: pixels.
        seed: another seed makes another place.
        car: length of a car, as a share of the side of the picture.

    Returns:
        The picture (H, W, 3), the near infrared (H, W) and the class map (H, W), all uint8.
    """
    return _Painter(kinds, height, width, np.random.default_rng(seed), car).finish()


class _Painter:
    def __init__(self, kinds: Mapping[int, str], height: int, width: int, rng: np.random.Generator, car: float) -> None:
        self.kinds, self.rng, self.car = dict(kinds), rng, car
        self.height, self.width, self.side = height, width, math.sqrt(height * width)
        self.bands = np.zeros((height, width, 4), np.float32)
        self.labels = np.zeros((height, width), np.uint8)
        self._ground()
        objects = [(LOOKS[kind].shape, label, kind) for label, kind in self.kinds.items()]
        objects += [("crown", label, kind) for label, kind in self.kinds.items() if kind == "trees"]
        for _, label, kind in sorted(
            (_ORDER.index(shape), label, shape) for shape, label, _ in objects if shape in _ORDER
        ):
            self._scatter(label, kind)

    def finish(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Add texture and light, and return picture, near infrared and class map."""
        fine, coarse = self._noise(round(self.side / 4)), self._noise(5)
        rough = np.zeros(256, np.float32)
        for label, kind in self.kinds.items():
            rough[label] = LOOKS[kind].rough
        texture = 1 + rough[self.labels] * (0.7 * fine + 0.5 * coarse)
        bands = self.bands * texture[..., None] * self.rng.uniform(0.88, 1.1)
        bands += self.rng.normal(0, 3.0, bands.shape)
        soft = [Image.fromarray(np.clip(bands[..., i], 5, 255).astype(np.uint8)) for i in range(4)]
        bands = np.stack([np.asarray(band.filter(ImageFilter.GaussianBlur(0.6))) for band in soft], axis=2)
        dark = np.isin(self.labels, [label for label, kind in self.kinds.items() if kind == "no data"])
        bands = np.where(dark[..., None], 0, bands).astype(np.uint8)
        return bands[..., :3].copy(), bands[..., 3].copy(), self.labels

    def _ground(self) -> None:
        """Share the ground among the kinds that cover any, along the contour lines of a random field."""
        pieces = []
        for label, kind in self.kinds.items():
            look = LOOKS[kind]
            if look.shape in ("area", "parcels"):
                count = int(self.rng.integers(3, 6) if look.shape == "parcels" else self.rng.integers(1, 3))
                share = look.share * self.rng.uniform(0.7, 1.3) / count
                pieces += [(label, share, self._colour(kind)) for _ in range(count)]
        self.rng.shuffle(pieces)
        field = self._field()
        rank = np.empty(field.size)
        rank[field.ravel().argsort()] = np.arange(field.size) / field.size
        shares = np.cumsum([share for _, share, _ in pieces])
        which = np.searchsorted(shares / shares[-1], rank.reshape(field.shape), side="right")
        for number, (label, _, colour) in enumerate(pieces):
            here = which == number
            self.labels[here] = label
            self.bands[here] = colour
            if LOOKS[self.kinds[label]].shape == "parcels":
                self.bands[here] *= self._furrows()[here][:, None]

    def _field(self) -> np.ndarray:
        v, u = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32) / self.side
        x, y, angle = self.rng.uniform(0.1, 0.9), self.rng.uniform(0.1, 0.9), self.rng.uniform(0, 2 * math.pi)
        style = int(self.rng.integers(4))
        if style == 0:
            return u * math.cos(angle) + v * math.sin(angle) + 0.12 * self._noise(4)
        if style == 1:
            return np.hypot(u - x, v - y) + 0.08 * self._noise(5)
        if style == 2:
            return self._noise(int(self.rng.integers(3, 6)))
        return np.arctan2(v - y, u - x) * self.rng.choice([-1, 1]) + 0.4 * self._noise(4)

    def _furrows(self) -> np.ndarray:
        v, u = np.mgrid[0 : self.height, 0 : self.width]
        angle = self.rng.uniform(0, math.pi)
        return 1 + 0.1 * np.sin((u * math.cos(angle) + v * math.sin(angle)) * self.rng.uniform(0.5, 0.9))

    def _scatter(self, label: int, shape: str) -> None:
        kind = self.kinds[label]
        low, high = _HOW_MANY[shape]
        for _ in range(int(self.rng.integers(low, high))):
            centre = self._place(LOOKS[kind].on)
            colour = self._colour(kind)
            if shape == "block":
                self._front(centre, label, colour)
                continue
            for part, (points, share) in enumerate(self._outline(shape, centre)):
                tone = tuple(share * band for band in colour)
                self._fill(points, label if part == 0 or shape == "plane" else None, tone, LOOKS[kind].shadow)

    def _front(self, centre: Point, label: int, colour: Bands) -> None:
        """Paint a house: its front, where the place has a class for fronts, then the two halves of its roof."""
        length, width = self.side * self.rng.uniform(0.1, 0.22), self.side * self.rng.uniform(0.08, 0.14)
        angle = self.rng.choice([0, 90]) + self.rng.uniform(-12, 12)
        roof = rectangle(centre, length, width, angle)
        for other, kind in self.kinds.items():
            if kind == "wall":
                lower = [(x, y + self.side * 0.045) for x, y in roof]
                self._fill(lower, other, self._colour(kind), LOOKS["building"].shadow)
        self._fill(roof, label, colour, LOOKS["building"].shadow)
        half = [roof[0], roof[1], _between(roof[1], roof[2]), _between(roof[0], roof[3])]
        self._fill(half, None, tuple(0.84 * band for band in colour), 0)

    def _outline(self, shape: str, centre: Point) -> list[tuple[list[Point], float]]:
        """Return the polygons of one thing, each with its share of the thing's brightness."""
        side, rng = self.side, self.rng
        upright, angle = float(rng.choice([0, 90])), float(rng.uniform(0, 360))
        parts = []
        if shape == "strip":
            turn = upright + rng.uniform(-25, 25)
            parts = [(rectangle(centre, 4 * side, side * rng.uniform(0.05, 0.08), turn), 1.0)]
            parts += [(rectangle(centre, 4 * side, 1.2, turn), 1.7)]
        elif shape == "slab":
            parts = [(rectangle(centre, side * 0.4, side * 0.035, upright), 1.0)]
        elif shape == "court":
            size = side * rng.uniform(0.16, 0.22)
            parts = [(rectangle(centre, size, size / 2, upright), 1.0)]
            parts += [(rectangle(centre, 2, size / 2, upright), 1.8), (rectangle(centre, size / 2, 1.5, upright), 1.8)]
        elif shape == "long block":
            parts = [(rectangle(centre, side * 0.1, side * 0.045, float(rng.choice([60, 120]))), 1.0)]
        elif shape == "plane":
            size = side * rng.uniform(0.16, 0.24)
            parts = [(rectangle(centre, size, size * 0.12, angle), 1.0)]
            parts += [(rectangle(centre, size * 0.2, size * 0.95, angle), 0.95)]
        elif shape == "ship":
            parts = [(_hull(centre, side * rng.uniform(0.06, 0.1), angle), 1.0)]
        elif shape == "car":
            turn = upright + rng.uniform(-15, 15)
            length = side * self.car
            parts = [(rectangle(centre, length, length * 0.47, turn), 1.0)]
            parts += [(rectangle(centre, length * 0.4, length * 0.37, turn), 0.6)]
        elif shape == "disc":
            radius = side * rng.uniform(0.05, 0.08)
            parts = [(disc(centre, radius), 1.0), (disc(centre, radius * 0.7), 0.93)]
        elif shape == "crown":
            parts = [(disc(centre, side * rng.uniform(0.02, 0.045)), 1.0)]
        elif shape == "person":
            parts = [(disc(centre, max(1.3, side * 0.0065)), 1.0)]
        elif shape == "wedge":
            parts = [(self._corner(), 1.0)]
        return parts

    def _corner(self) -> list[Point]:
        x, y = self.rng.choice([0, self.width - 1]), self.rng.choice([0, self.height - 1])
        across = self.rng.uniform(0.3, 0.6) * self.width * (1 if x == 0 else -1)
        down = self.rng.uniform(0.3, 0.6) * self.height * (1 if y == 0 else -1)
        return [(x, y), (x + across, y), (x, y + down)]

    def _place(self, kinds: Sequence[str]) -> Point:
        wanted = [label for label, kind in self.kinds.items() if kind in kinds]
        rows, columns = np.nonzero(np.isin(self.labels, wanted)) if wanted else ([], [])
        if len(rows):
            pick = int(self.rng.integers(len(rows)))
            return float(columns[pick]), float(rows[pick])
        return self.rng.uniform(0.06, 0.94) * self.width, self.rng.uniform(0.06, 0.94) * self.height

    def _fill(self, points: Sequence[Point], label: int | None, colour: Sequence[float], shadow: float) -> None:
        if shadow and label is not None:
            offset = shadow * self.side / 100
            self.bands[self._inside([(x + offset, y + offset * 0.7) for x, y in points])] *= 0.55
        here = self._inside(points)
        self.bands[here] = colour
        if label is not None:
            self.labels[here] = label

    def _inside(self, points: Sequence[Point]) -> np.ndarray:
        image = Image.new("L", (self.width, self.height))
        ImageDraw.Draw(image).polygon(list(points), fill=1)
        return np.asarray(image).astype(bool)

    def _colour(self, kind: str) -> Bands:
        colours = LOOKS[kind].colours
        return colours[int(self.rng.integers(len(colours)))]

    def _noise(self, cells: int) -> np.ndarray:
        """Smooth noise, about -1..1."""
        coarse = self.rng.uniform(-1, 1, (max(2, cells), max(2, cells))).astype(np.float32)
        smooth = Image.fromarray(coarse).resize((self.width, self.height), Image.Resampling.BICUBIC)
        return np.asarray(smooth)


def rectangle(centre: Point, length: float, width: float, angle: float) -> list[Point]:
    """Return the corners of a rectangle turned by ``angle`` degrees."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = [(-length / 2, -width / 2), (length / 2, -width / 2), (length / 2, width / 2), (-length / 2, width / 2)]
    return [(centre[0] + cos * u - sin * v, centre[1] + sin * u + cos * v) for u, v in corners]


def disc(centre: Point, radius: float) -> list[Point]:
    """Return the corners of a disc."""
    turns = [2 * math.pi * corner / 24 for corner in range(24)]
    return [(centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)) for turn in turns]


def _hull(centre: Point, length: float, angle: float) -> list[Point]:
    box = rectangle(centre, length, length * 0.34, angle)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    bow = (centre[0] + cos * length * 0.8, centre[1] + sin * length * 0.8)
    return [box[0], box[1], bow, box[2], box[3]]


def _between(first: Point, second: Point) -> Point:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2
