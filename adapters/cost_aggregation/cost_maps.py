"""Looking at the cost volume on its way through a network of the family, as the paper's figure 5 does."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.images.pixels import as_pixels, normalised, squeezed

__all__ = ["cost_maps"]

_SIDE = 640


@torch.inference_mode()
def cost_maps(network: FamilyNetwork, image: NDArray[np.uint8], text: Tensor) -> dict[str, NDArray[np.float32]]:
    """Return what each stage says of every class, from the cosine similarities to the scores.

    The image is squeezed to a square without padding, so that every map lies exactly on it; sliding windows and
    padding, by which an evaluation may differ, are left out. The paper does not say how figure 5 turns the many
    channels of an aggregated volume into one picture: here it is their mean.

    Args:
        network: ready to predict.
        image: (H, W, 3) uint8, RGB.
        text: (K, C) unit-norm embeddings of the class names.

    Returns:
        Stage -> (K, h, w) float32, in the order of the computation.
    """
    seen: dict[str, Tensor] = {}
    pixels = normalised(squeezed(as_pixels(image, text.device), _SIDE))
    logits = network(pixels, text, partial(_see, seen))[0]
    stages: dict[str, Tensor] = {}
    if "cost_clip" in seen:
        orientations = len(seen["cost_clip"])
        name = "CLIP" if orientations == 1 else f"CLIP, mean of {orientations} orientations"
        stages[name] = seen["cost_clip"].mean(dim=0)
    if "cost_dino" in seen:
        stages["DINO"] = seen["cost_dino"][0]
    if "layer" in seen:
        stages["aggregated, mean of channels"] = seen["layer"].mean(dim=0)
    stages["scores"] = logits.sigmoid()
    return {name: stage.float().cpu().numpy() for name, stage in stages.items()}


def _see(seen: dict[str, Tensor], name: str, tensor: Tensor) -> None:
    """Remember the cost maps, and of the layers the last one, without the batch."""
    if name in ("cost_clip", "cost_dino"):
        seen[name] = tensor[0]
    elif name.startswith("layer_") and not name.endswith("_spatial"):
        seen["layer"] = tensor[0]
