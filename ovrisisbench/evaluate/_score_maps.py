"""What must hold of class scores before labels are made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate._byte_maps import of_image

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["checked_size", "not_finite"]


def checked_size(logits: NDArray[np.floating] | torch.Tensor, size: tuple[int, int], name: str) -> tuple[int, int]:
    """Return (H, W) after checking it and the shape of the scores.

    Raises:
        EvaluationError: not (K, h, w) with K in 1..255, or a size without pixels.
    """
    shape = tuple(logits.shape)
    if len(shape) != 3 or 0 in shape or shape[0] > 255:
        raise EvaluationError(
            f"The scores{of_image(name)} have shape {shape}: give (K, h, w) with 1 to 255 classes "
            "and at least one cell."
        )
    height, width = size
    if height < 1 or width < 1:
        raise EvaluationError(f"The image size{of_image(name)} is {height}×{width}: give at least one pixel.")
    return int(height), int(width)


def not_finite(name: str) -> EvaluationError:
    """Return the error for scores with NaN or infinity."""
    return EvaluationError(
        f"The scores{of_image(name)} hold NaN or infinity: an argmax over them would look like a result; "
        "check the checkpoint and the precision of the run."
    )
