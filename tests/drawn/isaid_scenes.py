"""Scenes of the mini world as pictures and masks of iSAID itself, for tests of the real data set's readers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from ovrisisbench.catalog import load_card
from ovrisisbench.mini import draw_scene as draw_mini_scene
from ovrisisbench.mini import load_style
from ovrisisbench.mini.downloads.encoding import colour_mask

HEIGHT, WIDTH = 600, 700
PLACES = ("courts", "harbour", "tank farm", "stadium", "apron", "river")


@cache
def draw_scene(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture and mask in class colours, each (600, 700, 3) uint8; the place is ``number`` modulo six."""
    style = load_style("mini-isaid")
    scene = draw_mini_scene(style, (77, number), place=PLACES[number % len(PLACES)], size=(HEIGHT, WIDTH))
    return scene.picture, colour_mask(scene.kinds, style, load_card("isaid"))


def draw_isaid_download(folder: Path, *, scenes: int = 6) -> list[str]:
    """Draw a small download of iSAID: even scenes go to train, odd ones to val."""
    names = [f"P{number:04d}" for number in range(scenes)]
    for number, name in enumerate(names):
        split = folder / ("train" if number % 2 == 0 else "val")
        picture, mask = draw_scene(number)
        for path, pixels in (
            (split / "images" / f"{name}.png", picture),
            (split / "Semantic_masks" / "images" / f"{name}_instance_color_RGB.png", mask),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return names
