"""The door between a model's scores and the harness: shape, type and geometry are checked here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ovrisisbench.adapter.interface import ScoreMap
from ovrisisbench.errors import AdapterError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["check_score_maps", "cropped_scores"]


def check_score_maps(
    maps: Sequence[ScoreMap], *, num_classes: int, images: Sequence[NDArray[np.uint8]], image_ids: Sequence[str]
) -> None:
    """Check what :meth:`Adapter.predict` returned for a batch, but not whether scores are finite.

    Args:
        maps: the returned score maps.
        num_classes: K of the vocabulary.
        images: B arrays (H, W, 3) that were given.
        image_ids: their B names, for the error text.

    Raises:
        AdapterError: a wrong number of maps, or a map of the wrong type, shape, image size or crop.
    """
    if len(maps) != len(images):
        raise AdapterError(f"The model returned {len(maps)} score maps for {len(images)} images ({image_ids[0]}, ...).")
    for score_map, image, image_id in zip(maps, images, image_ids, strict=True):
        problem = _problem(score_map, num_classes, (image.shape[0], image.shape[1]))
        if problem:
            raise AdapterError(f"The model's score map for image {image_id} {problem}.")


def cropped_scores(score_map: ScoreMap) -> torch.Tensor | NDArray[np.float32]:
    """Return the part of the map that shows the image, (K, h', w') float32, as a view."""
    if score_map.crop is None:
        return score_map.scores
    y0, y1, x0, x1 = score_map.crop
    return score_map.scores[:, y0:y1, x0:x1]


def _problem(score_map: object, num_classes: int, image_size: tuple[int, int]) -> str:
    if not isinstance(score_map, ScoreMap):
        return f"is a {type(score_map).__name__}, not a ScoreMap"
    shape = tuple(score_map.scores.shape)
    if str(score_map.scores.dtype).removeprefix("torch.") != "float32":
        return f"holds {score_map.scores.dtype}, not float32"
    if len(shape) != 3 or shape[0] != num_classes or 0 in shape:
        return f"has shape {shape}, not ({num_classes}, h, w)"
    if tuple(score_map.image_size) != image_size:
        return f"says the image has size {score_map.image_size}, but it has {image_size}"
    if score_map.crop is not None:
        y0, y1, x0, x1 = score_map.crop
        if not (0 <= y0 < y1 <= shape[1] and 0 <= x0 < x1 <= shape[2]):
            return f"has the crop {score_map.crop}, which does not lie in a map of {shape[1]} x {shape[2]} cells"
    return ""
