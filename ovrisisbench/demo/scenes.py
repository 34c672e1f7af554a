"""Six drawn scenes in the layout of iSAID's publisher: data to try everything on without a download.

They look like places seen from above, but no figure measured on them says
anything about a model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from ovrisisbench.catalog.cards import load_card
from ovrisisbench.demo import objects
from ovrisisbench.demo.canvas import Canvas, Colour, disc, rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCENES", "draw_isaid_download", "draw_scene"]

HEIGHT: Final = 600
WIDTH: Final = 700
_CARS: Final[tuple[Colour, ...]] = ((190, 42, 40), (228, 228, 224), (52, 84, 150), (40, 42, 46), (196, 170, 60))


def draw_isaid_download(folder: Path, *, scenes: int = 6, seed: int = 0) -> list[str]:
    """Draw a small stand-in for the download of iSAID.

    Writes ``{train,val}/images/P####.png`` and
    ``{train,val}/Semantic_masks/images/P####_instance_color_RGB.png``; even
    scenes go to train, odd ones to val.

    Args:
        folder: where the two splits are put; created if needed.
        scenes: how many; after six the kinds repeat with other details.
        seed: equal seeds draw equal pixels.

    Returns:
        The names, such as ``P0000``.
    """
    names = []
    for number in range(scenes):
        name = f"P{number:04d}"
        split = folder / ("train" if number % 2 == 0 else "val")
        picture, mask = draw_scene(number, seed=seed)
        for path, pixels in (
            (split / "images" / f"{name}.png", picture),
            (split / "Semantic_masks" / "images" / f"{name}_instance_color_RGB.png", mask),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        names.append(name)
    return names


def draw_scene(number: int, *, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one scene.

    Args:
        number: which; the kind is ``number`` modulo six.
        seed: equal seeds draw equal pixels.

    Returns:
        The picture and the semantic mask in class colours, each (600, 700, 3) uint8.
    """
    rng = np.random.default_rng([seed, number])
    card = load_card("isaid")
    ground, paint = SCENES[number % len(SCENES)]
    colours = {label.name: label.colour for label in card.classes}
    canvas = Canvas(HEIGHT, WIDTH, ground, colours=colours, rng=rng)
    paint(canvas, rng)
    return canvas.finish()


def _harbour(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.speckle([(0, 0), (WIDTH, HEIGHT)], (38, 84, 112), (52, 104, 132), 500, 6)
    canvas.polygon([(0, 0), (WIDTH, 0), (WIDTH, 118), (430, 132), (210, 110), (0, 128)], (148, 146, 128))
    objects.road(canvas, (0, 56), (WIDTH, 56))
    for x in range(40, WIDTH, 96):
        objects.house(canvas, (x, 22), 66, 26, 0, roof=(132, 118, 110))
        objects.small_vehicle(canvas, (x + 30, 50), 0, _pick(rng))
        objects.small_vehicle(canvas, (x - 12, 63), 180, _pick(rng))
    objects.pier(canvas, (WIDTH / 2, 112), WIDTH, 30)
    for x in (110, 270, 430, 590):
        objects.pier(canvas, (x, 300), 350, 22, 90)
        for y in range(170, 470, 34):
            for side in (-1, 1):
                if rng.random() < 0.85:
                    length = float(rng.uniform(40, 62))
                    objects.ship(canvas, (x + side * (14 + length / 2), y), 0 if side > 0 else 180, length)
    for x in (150, 380, 560):
        objects.ship(canvas, (x + float(rng.uniform(-30, 30)), 545), float(rng.uniform(-30, 30)), 110, (206, 196, 176))


def _airport(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.polygon(rectangle((WIDTH / 2, 250), WIDTH, 440), (176, 176, 172))
    for x in range(0, WIDTH, 70):
        canvas.line([(x, 30), (x, 470)], (160, 160, 156), 0.8)
    for y in range(30, 480, 70):
        canvas.line([(0, y), (WIDTH, y)], (160, 160, 156), 0.8)
    objects.road(canvas, (0, 540), (WIDTH, 540), 64)
    canvas.polygon(rectangle((WIDTH / 2, 24), WIDTH - 80, 46), (116, 124, 132), shadow=10)
    for x in range(80, WIDTH, 118):
        objects.plane(canvas, (x, 124), 90 + float(rng.uniform(-3, 3)), 108)
        objects.large_vehicle(canvas, (x + 52, 76), 90)
        canvas.line([(x, 180), (x, 300)], (210, 186, 60), 1.4)
    canvas.line([(0, 300), (WIDTH, 300)], (210, 186, 60), 1.6)
    for x in (80, 205, 330):
        objects.plane(canvas, (x, 384), -90 + float(rng.uniform(-4, 4)), 112)
    for x in (450, 540, 630):
        for y in (345, 425):
            objects.helicopter(canvas, (x, y), float(rng.uniform(0, 360)), 70)
    for x in range(60, WIDTH, 90):
        objects.small_vehicle(canvas, (x, 462), 0, _pick(rng))


def _town(canvas: Canvas, rng: np.random.Generator) -> None:
    objects.trees(canvas, (0, 0), (WIDTH, HEIGHT), 520)
    middle = (350.0, 300.0)
    for end in ((0.0, 300.0), (700.0, 300.0), (350.0, 0.0), (350.0, 600.0)):
        objects.road(canvas, middle, end, 36)
    objects.roundabout(canvas, middle, 66)
    for turn in range(0, 360, 60):
        ring = disc(middle, 48, corners=360)[turn]
        objects.small_vehicle(canvas, ring, turn + 90, _pick(rng))
    for corner_x in (0, 400):
        for corner_y in (0, 350):
            for x in range(46, 300, 88):
                for y in (52, 172):
                    spot = (corner_x + x, corner_y + y)
                    objects.house(canvas, spot, 58, 38, float(rng.uniform(-8, 8)), roof=_roof(rng))
                    objects.pool(canvas, (spot[0] + 2, spot[1] + 46), 44, 22, float(rng.uniform(-6, 6)))
    for x in range(24, WIDTH, 34):
        if abs(x - 350) > 80:
            objects.small_vehicle(canvas, (x, 291), 0, _pick(rng))
            objects.small_vehicle(canvas, (x + 12, 309), 180, _pick(rng))
    for y in range(24, HEIGHT, 36):
        if abs(y - 300) > 80:
            objects.small_vehicle(canvas, (341, y), 90, _pick(rng))
            objects.small_vehicle(canvas, (359, y + 10), -90, _pick(rng))


def _sports(canvas: Canvas, rng: np.random.Generator) -> None:
    objects.trees(canvas, (0, 0), (WIDTH, HEIGHT), 260)
    canvas.polygon(rectangle((238, 158), 452, 296), (136, 146, 112))
    objects.running_track(canvas, (238, 158), 424, 262)
    canvas.polygon(rectangle((590, 158), 190, 296), (120, 118, 112))
    for row, y in enumerate((42, 100, 158, 216, 274)):
        objects.tennis_court(canvas, (545, y), 0, 84)
        (objects.basketball_court if row % 2 else objects.tennis_court)(canvas, (636, y), 0, 84)
    objects.road(canvas, (0, 332), (WIDTH, 332))
    for x in range(20, WIDTH, 44):
        objects.small_vehicle(canvas, (x + float(rng.uniform(-8, 8)), 326), 0, _pick(rng))
    objects.baseball_diamond(canvas, (120, 580), 180, -90)
    objects.baseball_diamond(canvas, (580, 580), 180, -90)
    objects.soccer_field(canvas, (350, 460), 190, 160)


def _industry(canvas: Canvas, rng: np.random.Generator) -> None:
    objects.road(canvas, (0, 316), (WIDTH, 316), 40)
    for x in range(62, 460, 104):
        for y in (70, 180):
            canvas.polygon(rectangle((x, y), 98, 102), (142, 132, 112))
            objects.tank(canvas, (x, y), 40)
    for x in range(70, 460, 74):
        objects.tank(canvas, (x, 264), 20)
    canvas.polygon(rectangle((590, 150), 200, 250), (110, 110, 112))
    for x in range(506, 690, 24):
        for y in (64, 120, 176, 232):
            if rng.random() < 0.9:
                objects.large_vehicle(canvas, (x, y), 90, (226, 226, 220) if rng.random() < 0.7 else (180, 60, 50))
    for x in range(30, WIDTH, 66):
        objects.large_vehicle(canvas, (x, 307), 0)
        objects.large_vehicle(canvas, (x + 20, 326), 180, (70, 110, 160))
    canvas.polygon(rectangle((200, 470), 340, 210), (128, 132, 138), shadow=14)
    for x in range(60, 350, 34):
        canvas.polygon(rectangle((x, 470), 12, 200), (150, 156, 162))
    canvas.polygon(rectangle((550, 470), 280, 210), (110, 110, 112))
    for x in range(424, 690, 17):
        for y in (384, 430, 476, 522, 560):
            if rng.random() < 0.8:
                objects.small_vehicle(canvas, (x, y), 90, _pick(rng))


def _river(canvas: Canvas, rng: np.random.Generator) -> None:
    objects.trees(canvas, (0, 0), (WIDTH, HEIGHT), 480)
    bank = [(0.0, 210.0), (240.0, 180.0), (480.0, 230.0), (700.0, 190.0)]
    other = [(700.0, 410.0), (460.0, 440.0), (230.0, 390.0), (0.0, 420.0)]
    canvas.polygon([*bank, *other], (58, 104, 116))
    canvas.speckle([(0, 236), (WIDTH, 384)], (52, 98, 112), (70, 118, 128), 160, 5)
    for x in (150, 360, 560):
        objects.road(canvas, (x, 0), (x, HEIGHT), 30)
        objects.bridge(canvas, (x, 172), (x, 446), 60)
        for y in range(30, HEIGHT, 46):
            objects.small_vehicle(canvas, (x - 8, y), 90, _pick(rng))
            objects.small_vehicle(canvas, (x + 8, y + 20), -90, _pick(rng))
        objects.large_vehicle(canvas, (x - 9, 300), 90)
    for x in (70, 255, 460, 650):
        objects.ship(canvas, (x, 310 + float(rng.uniform(-30, 30))), float(rng.choice([4, 176])), 84)
    for x in (60, 240, 450, 640):
        for y in (60, 120, 490, 550):
            objects.house(canvas, (x, y), 64, 36, float(rng.uniform(-10, 10)), roof=_roof(rng))


SCENES: Final[tuple[tuple[Colour, Callable[[Canvas, np.random.Generator], None]], ...]] = (
    ((44, 92, 122), _harbour),
    ((104, 128, 78), _airport),
    ((98, 132, 74), _town),
    ((92, 136, 72), _sports),
    ((128, 130, 108), _industry),
    ((88, 124, 66), _river),
)
"""Colour of the ground and painter of each kind of scene; together they hold all 15 classes."""


def _pick(rng: np.random.Generator) -> Colour:
    return _CARS[int(rng.integers(len(_CARS)))]


def _roof(rng: np.random.Generator) -> Colour:
    roofs: tuple[Colour, ...] = ((150, 92, 74), (128, 116, 108), (164, 128, 96), (112, 84, 80))
    return roofs[int(rng.integers(len(roofs)))]
