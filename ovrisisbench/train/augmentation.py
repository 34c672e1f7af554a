"""What happens to a picture and its label map before training: Detectron2's mapper, to the rounding.

Resize, crop, colour, flip, fill up: in this order, all in 8 bits. Every
random number comes from the generator that is handed in.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from ovrisisbench.adapter.recipe import Recipe
from ovrisisbench.adapter.resizing import shortest_edge_size
from ovrisisbench.train.colour import jittered

__all__ = ["augmented", "resized_labels"]

Pixels = NDArray[np.uint8]

_FILL: Final = 128
_IGNORED: Final = 255


def augmented(image: Pixels, labels: Pixels, recipe: Recipe, rng: Generator) -> tuple[Pixels, Pixels]:
    """Return a square crop of a picture and of its label map.

    Args:
        image: (H, W, 3) uint8, RGB.
        labels: (H, W) uint8.
        recipe: sizes and probabilities.
        rng: of this picture at this step.

    Returns:
        (crop, crop, 3) and (crop, crop) uint8; beyond the picture 128 and 255.
    """
    short = int(rng.choice(recipe.short_side))
    height, width = shortest_edge_size(*labels.shape, short=short, long=recipe.long_side)
    top = int(rng.integers(max(0, height - recipe.crop) + 1))
    left = int(rng.integers(max(0, width - recipe.crop) + 1))
    rows, columns = slice(top, top + recipe.crop), slice(left, left + recipe.crop)
    image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))[rows, columns]
    labels = resized_labels(labels, height, width)[rows, columns]
    if recipe.colour == "ssd":
        image = jittered(image, rng)
    if rng.random() < recipe.flip:
        image, labels = image[:, ::-1], labels[:, ::-1]
    below, right = recipe.crop - labels.shape[0], recipe.crop - labels.shape[1]
    return (
        np.pad(image, ((0, below), (0, right), (0, 0)), constant_values=_FILL),
        np.pad(labels, ((0, below), (0, right)), constant_values=_IGNORED),
    )


def resized_labels(labels: Pixels, height: int, width: int) -> Pixels:
    """Resize a label map (H, W) by torch's rule for the nearest neighbour, which is not Pillow's.

    Detectron2 resizes it as floats with torch: the source of row i is ``floor(i * H / height)``.
    """
    maps = torch.from_numpy(np.ascontiguousarray(labels)).float()[None, None]
    return F.interpolate(maps, size=(height, width), mode="nearest")[0, 0].to(torch.uint8).numpy()
