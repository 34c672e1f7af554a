"""The things that iSAID labels, as seen from above."""

from __future__ import annotations

import math

from ovrisisbench.demo.canvas import Canvas, Colour, Point, disc, rectangle

__all__ = [
    "baseball_diamond",
    "basketball_court",
    "bridge",
    "helicopter",
    "house",
    "large_vehicle",
    "pier",
    "plane",
    "pool",
    "road",
    "roundabout",
    "running_track",
    "ship",
    "small_vehicle",
    "soccer_field",
    "tank",
    "tennis_court",
    "trees",
]

_WHITE: Colour = (236, 236, 230)
_ASPHALT: Colour = (92, 92, 96)
_GRASS: Colour = (84, 128, 62)
_ROOF: Colour = (150, 92, 74)


def road(canvas: Canvas, start: Point, end: Point, width: float = 26.0) -> None:
    """A road with a dashed middle line."""
    length = math.dist(start, end)
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    canvas.polygon(rectangle(middle, length, width + 4, angle), (150, 148, 140))
    canvas.polygon(rectangle(middle, length, width, angle), _ASPHALT)
    steps = max(2, int(length // 12))
    along = [_between(start, end, step / steps) for step in range(steps + 1)]
    for first, second in zip(along[::2], along[1::2], strict=False):
        canvas.line([first, second], (214, 208, 176), 1.2)


def house(canvas: Canvas, centre: Point, length: float, width: float, angle: float, *, roof: Colour = _ROOF) -> None:
    """A house with a ridge; unlabelled."""
    canvas.polygon(rectangle(centre, length, width, angle), roof, shadow=7)
    lower = _offset(centre, angle + 90, width / 4)
    darker = (roof[0] * 3 // 4, roof[1] * 3 // 4, roof[2] * 3 // 4)
    canvas.polygon(rectangle(lower, length, width / 2, angle), darker)


def trees(canvas: Canvas, corner: Point, opposite: Point, count: int) -> None:
    """Tree crowns scattered over a box; unlabelled."""
    canvas.speckle([corner, opposite], (36, 74, 36), (86, 126, 62), count, 7)


def small_vehicle(canvas: Canvas, centre: Point, angle: float, paint: Colour = (190, 40, 40)) -> None:
    """A car, 15 by 7 pixels."""
    canvas.polygon(rectangle(centre, 15, 7.5, angle), paint, label="Small_Vehicle", shadow=2)
    canvas.polygon(rectangle(_offset(centre, angle, 2), 3.2, 6, angle), (30, 36, 46))
    canvas.polygon(rectangle(_offset(centre, angle, -4.5), 2.2, 6, angle), (30, 36, 46))


def large_vehicle(canvas: Canvas, centre: Point, angle: float, paint: Colour = (226, 226, 220)) -> None:
    """A lorry, 40 by 12 pixels."""
    canvas.polygon(rectangle(_offset(centre, angle, -3), 33, 12, angle), paint, label="Large_Vehicle", shadow=4)
    canvas.polygon(rectangle(_offset(centre, angle, 17), 8, 10.5, angle), (56, 92, 150), label="Large_Vehicle")
    canvas.polygon(rectangle(_offset(centre, angle, 18), 3, 8.5, angle), (26, 32, 42))


def ship(canvas: Canvas, centre: Point, angle: float, length: float = 54.0, deck: Colour = (232, 230, 222)) -> None:
    """A boat with a pointed bow."""
    width = length * 0.3
    hull = [(-0.5, -0.42), (0.16, -0.5), (0.5, 0.0), (0.16, 0.5), (-0.5, 0.42)]
    canvas.polygon(_placed(hull, centre, length, width, angle), (70, 66, 64), label="ship", shadow=3)
    canvas.polygon(_placed(hull, centre, length * 0.9, width * 0.76, angle), deck)
    canvas.polygon(rectangle(_offset(centre, angle, -length * 0.08), length * 0.3, width * 0.42, angle), (120, 84, 54))
    canvas.polygon(rectangle(_offset(centre, angle, length * 0.12), length * 0.08, width * 0.46, angle), (44, 62, 84))


def pier(canvas: Canvas, centre: Point, length: float, width: float, angle: float = 0.0) -> None:
    """A jetty of planks, labelled as harbour."""
    canvas.polygon(rectangle(centre, length, width, angle), (168, 158, 142), label="Harbor", shadow=4)
    for step in range(int(length // 10)):
        spot = _offset(centre, angle, -length / 2 + 5 + 10 * step)
        ends = (_offset(spot, angle + 90, width / 2), _offset(spot, angle - 90, width / 2))
        canvas.line(ends, (140, 130, 116), 0.7)


def plane(canvas: Canvas, centre: Point, angle: float, length: float = 92.0) -> None:
    """An airliner with swept wings and two engines."""
    white: Colour = (240, 240, 242)
    wing = [(0.12, 0.0), (-0.22, -0.5), (-0.3, -0.5), (-0.12, 0.0), (-0.3, 0.5), (-0.22, 0.5)]
    tail = [(-0.38, 0.0), (-0.5, -0.18), (-0.54, -0.18), (-0.5, 0.0), (-0.54, 0.18), (-0.5, 0.18)]
    body = [(0.5, 0.0), (0.44, -0.045), (-0.4, -0.045), (-0.52, 0.0), (-0.4, 0.045), (0.44, 0.045)]
    for shape in (wing, tail, body):
        canvas.polygon(_placed(shape, centre, length, length, angle), white, label="plane", shadow=6)
    canvas.polygon(_placed(body, centre, length, length, angle), (250, 250, 250))
    for side in (-1, 1):
        engine = _offset(_offset(centre, angle, -length * 0.02), angle + 90, side * length * 0.18)
        canvas.polygon(rectangle(engine, length * 0.1, length * 0.05, angle), (150, 154, 162), label="plane")
    canvas.polygon(rectangle(_offset(centre, angle, -length * 0.46), length * 0.12, 2.5, angle), (46, 88, 160))
    canvas.line([_offset(centre, angle, length * 0.4), _offset(centre, angle, -length * 0.36)], (206, 210, 218), 1)


def helicopter(canvas: Canvas, centre: Point, angle: float, length: float = 48.0) -> None:
    """A helicopter on its pad."""
    canvas.polygon(disc(centre, length * 0.58), (196, 196, 188))
    canvas.polygon(disc(centre, length * 0.53), (116, 116, 118))
    boom = rectangle(_offset(centre, angle, -length * 0.3), length * 0.5, 6, angle)
    canvas.polygon(boom, (196, 60, 44), label="Helicopter", shadow=3)
    body = [(0.32, 0.0), (0.2, -0.16), (-0.12, -0.16), (-0.26, 0.0), (-0.12, 0.16), (0.2, 0.16)]
    canvas.polygon(_placed(body, centre, length, length, angle), (206, 66, 48), label="Helicopter", shadow=3)
    canvas.polygon(rectangle(_offset(centre, angle, length * 0.18), length * 0.1, length * 0.18, angle), (40, 56, 74))
    for turn in (25, 115):
        canvas.polygon(rectangle(centre, length * 0.96, 4, angle + turn), (50, 50, 54), label="Helicopter")


def tank(canvas: Canvas, centre: Point, radius: float) -> None:
    """A storage tank with a ring and a stair."""
    canvas.polygon(disc(centre, radius), (214, 214, 208), label="storage_tank", shadow=radius * 0.35)
    canvas.polygon(disc(centre, radius * 0.9), (234, 234, 228))
    canvas.polygon(disc(centre, radius * 0.12, corners=16), (160, 160, 156))
    canvas.line([centre, _offset(centre, 35, radius * 0.9)], (170, 168, 162), 1.2)


def pool(canvas: Canvas, centre: Point, length: float, width: float, angle: float) -> None:
    """A swimming pool with a pale rim."""
    canvas.polygon(rectangle(centre, length + 6, width + 6, angle), (222, 214, 196))
    canvas.polygon(rectangle(centre, length, width, angle), (70, 176, 210), label="Swimming_pool")
    canvas.line([_offset(centre, angle, -length * 0.3), _offset(centre, angle, length * 0.3)], (150, 216, 234), 1)


def roundabout(canvas: Canvas, centre: Point, radius: float) -> None:
    """A roundabout: ring of asphalt around a green island."""
    canvas.polygon(disc(centre, radius + 3), (150, 148, 140))
    canvas.polygon(disc(centre, radius), _ASPHALT, label="Roundabout")
    canvas.polygon(disc(centre, radius * 0.5), (196, 190, 170))
    canvas.polygon(disc(centre, radius * 0.45), _GRASS)
    canvas.polygon(disc(centre, radius * 0.14, corners=16), (48, 86, 44), shadow=3)


def bridge(canvas: Canvas, start: Point, end: Point, width: float = 34.0) -> None:
    """A bridge with rails; paint the road on it afterwards."""
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    middle = _between(start, end, 0.5)
    canvas.polygon(rectangle(middle, math.dist(start, end), width, angle), (176, 172, 164), label="Bridge", shadow=12)
    canvas.polygon(rectangle(middle, math.dist(start, end), width - 6, angle), _ASPHALT)
    canvas.line([start, end], (214, 208, 176), 1.2)


def tennis_court(canvas: Canvas, centre: Point, angle: float = 0.0, length: float = 78.0) -> None:
    """A tennis court with its lines."""
    width = length * 0.5
    canvas.polygon(rectangle(centre, length, width, angle), (64, 116, 84), label="tennis_court")
    canvas.polygon(rectangle(centre, length * 0.72, width * 0.66, angle), (70, 104, 164))
    _frame(canvas, centre, length * 0.72, width * 0.66, angle)
    _frame(canvas, centre, length * 0.4, width * 0.5, angle)
    canvas.line([_offset(centre, angle + 90, -width * 0.36), _offset(centre, angle + 90, width * 0.36)], _WHITE, 1.2)


def basketball_court(canvas: Canvas, centre: Point, angle: float = 0.0, length: float = 76.0) -> None:
    """A basketball court with its lines."""
    width = length * 0.54
    canvas.polygon(rectangle(centre, length, width, angle), (178, 96, 66), label="basketball_court")
    _frame(canvas, centre, length * 0.9, width * 0.86, angle)
    canvas.line([_offset(centre, angle + 90, -width * 0.43), _offset(centre, angle + 90, width * 0.43)], _WHITE, 0.9)
    _ring(canvas, centre, width * 0.16)
    for side in (-1, 1):
        canvas.polygon(
            rectangle(_offset(centre, angle, side * length * 0.37), length * 0.15, width * 0.3, angle), (70, 104, 150)
        )


def soccer_field(
    canvas: Canvas, centre: Point, length: float, width: float, *, label: str = "Soccer_ball_field"
) -> None:
    """A soccer field with mown stripes and its lines."""
    canvas.polygon(rectangle(centre, length, width), (78, 142, 66), label=label)
    stripes = 10
    for stripe in range(0, stripes, 2):
        x = centre[0] - length / 2 + (stripe + 0.5) * length / stripes
        canvas.polygon(rectangle((x, centre[1]), length / stripes, width), (90, 156, 76))
    _frame(canvas, centre, length * 0.94, width * 0.9, 0)
    canvas.line([(centre[0], centre[1] - width * 0.45), (centre[0], centre[1] + width * 0.45)], _WHITE, 1)
    _ring(canvas, centre, width * 0.14)
    for side in (-1, 1):
        _frame(canvas, (centre[0] + side * length * 0.4, centre[1]), length * 0.14, width * 0.46, 0)


def running_track(canvas: Canvas, centre: Point, length: float, width: float) -> None:
    """A running track with lanes around a soccer field."""
    for inset in range(5):
        shape = _stadium(centre, length - 9 * inset, width - 9 * inset)
        fill: Colour = (172, 84, 66) if inset < 4 else _GRASS
        canvas.polygon(shape, fill, label="Ground_Track_Field" if inset in (0, 4) else None)
        canvas.line([*shape, shape[0]], (222, 190, 176), 0.6)
    soccer_field(canvas, centre, length - width * 0.86, width * 0.62)


def baseball_diamond(canvas: Canvas, home: Point, radius: float, angle: float = -90.0) -> None:
    """A baseball diamond that opens towards ``angle``."""
    fan = [home] + [_offset(home, angle + turn, radius) for turn in range(-48, 49, 4)]
    canvas.polygon(fan, (94, 150, 74), label="baseball_diamond")
    sand = [home] + [_offset(home, angle + turn, radius * 0.62) for turn in range(-45, 46, 5)]
    canvas.polygon(sand, (196, 158, 112))
    middle = _offset(home, angle, radius * 0.33)
    canvas.polygon(rectangle(middle, radius * 0.36, radius * 0.36, angle + 45), (98, 154, 78))
    canvas.polygon(disc(middle, radius * 0.05, corners=16), (196, 158, 112))
    for side in (-45, 45):
        canvas.line([home, _offset(home, angle + side, radius)], _WHITE, 1)


def _stadium(centre: Point, length: float, width: float) -> list[Point]:
    straight, radius = (length - width) / 2, width / 2
    right = [_offset((centre[0] + straight, centre[1]), turn, radius) for turn in range(-90, 91, 6)]
    left = [_offset((centre[0] - straight, centre[1]), turn, radius) for turn in range(90, 271, 6)]
    return right + left


def _frame(canvas: Canvas, centre: Point, length: float, width: float, angle: float) -> None:
    corners = rectangle(centre, length, width, angle)
    canvas.line([*corners, corners[0]], _WHITE, 0.9)


def _ring(canvas: Canvas, centre: Point, radius: float) -> None:
    ring = disc(centre, radius)
    canvas.line([*ring, ring[0]], _WHITE, 0.9)


def _placed(shape: list[Point], centre: Point, length: float, width: float, angle: float) -> list[Point]:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return [
        (centre[0] + cos * u * length - sin * v * width, centre[1] + sin * u * length + cos * v * width)
        for u, v in shape
    ]


def _offset(point: Point, angle: float, distance: float) -> Point:
    return point[0] + math.cos(math.radians(angle)) * distance, point[1] + math.sin(math.radians(angle)) * distance


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
