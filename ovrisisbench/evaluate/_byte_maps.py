"""Label maps of any integer type, numpy or torch, as contiguous rows of bytes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from ovrisisbench.errors import EvaluationError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    LabelMap = NDArray[np.integer] | torch.Tensor

__all__ = ["as_bytes", "is_tensor", "of_image"]


def is_tensor(array: object) -> TypeGuard[torch.Tensor]:
    """Tell whether this is a torch tensor, without importing torch."""
    torch_module = sys.modules.get("torch")
    return torch_module is not None and isinstance(array, torch_module.Tensor)


def of_image(name: str) -> str:
    """Return the words that tie an error to its image; empty without a name."""
    return f" of image '{name}'" if name else ""


def as_bytes(labels: LabelMap, what: str, name: str = "") -> NDArray[np.uint8]:
    """Return a label map as one contiguous row of uint8, without a copy where it is one already.

    Args:
        labels: integers in 0..255, any shape and memory layout, on any device.
        what: ``"prediction"`` or ``"target"``, for the error's sentence.
        name: the image's name, for the error's sentence.

    Raises:
        EvaluationError: not integers, or a value that does not fit into a byte.
    """
    if not _holds_integers(labels):
        raise EvaluationError(
            f"The {what}{of_image(name)} has dtype {labels.dtype}: give labels as integers, uint8 at best."
        )
    array = labels.detach().cpu().numpy() if is_tensor(labels) else np.asarray(labels)
    if array.dtype != np.uint8:
        if array.size and not (array.min() >= 0 and array.max() <= 255):
            wrong = int(array.min()) if array.min() < 0 else int(array.max())
            raise EvaluationError(
                f"The {what}{of_image(name)} holds the value {wrong}: labels lie in 0..255, "
                "and 255 is the usual value of ignored pixels."
            )
        array = array.astype(np.uint8)
    return np.ascontiguousarray(array).reshape(-1)


def _holds_integers(labels: LabelMap) -> bool:
    if is_tensor(labels):
        return not (labels.is_floating_point() or labels.is_complex() or str(labels.dtype) == "torch.bool")
    return np.issubdtype(np.asarray(labels).dtype, np.integer)
