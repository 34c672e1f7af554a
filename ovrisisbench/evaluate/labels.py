"""From class scores at the model's resolution to a label map at the image's.

Equal, label for label, to ``F.interpolate(mode="bilinear", align_corners=False)``
followed by ``argmax``, without ever holding the scores at the image's size:
that tensor, and the argmax over it, cost more than everything else in an
evaluation but the network itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate._byte_maps import is_tensor
from ovrisisbench.evaluate._kernels import numba_is_usable
from ovrisisbench.evaluate._score_maps import checked_size, not_finite

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["LabelPath", "label_map"]

LabelPath = Literal["auto", "numba", "torch"]
"""Who resizes and compares; ``auto`` takes numba where it is installed, else torch."""


def label_map(
    logits: NDArray[np.floating] | torch.Tensor,
    size: tuple[int, int],
    *,
    path: LabelPath = "auto",
    name: str = "",
) -> NDArray[np.uint8]:
    """Stretch class scores bilinearly over the image and take the highest class of each pixel.

    Up- and downscaling alike read two neighbours per axis, as torch does
    without anti-aliasing. Equal scores go to the lowest class.

    Args:
        logits: (K, h, w) scores, higher is better, K 1..255, numpy or torch on any device; taken
            as float32. Scores on an accelerator are resized and compared there.
        size: (H, W) of the image in pixels.
        path: ``"numba"`` (the extra ``[fast]``) or ``"torch"`` to force one for scores on the
            processor.
        name: the image's name, put into the sentence of an error.

    Returns:
        (H, W) uint8, 0..K-1.

    Raises:
        EvaluationError: scores that are not finite or not (K, h, w), or a size without pixels.

    Example:
        >>> import numpy as np
        >>> logits = np.array([[[1.0, 0.0]], [[0.0, 2.0]]])
        >>> label_map(logits, (1, 6))
        array([[0, 0, 1, 1, 1, 1]], dtype=uint8)
    """
    height, width = checked_size(logits, size, name)
    if path not in ("auto", "numba", "torch"):
        raise EvaluationError(f"There is no path '{path}': take 'auto', 'numba' or 'torch'.")
    if is_tensor(logits) and logits.device.type != "cpu":
        return _on_device(logits, height, width, name)
    scores = _as_float32(logits)
    # A NaN makes both of them NaN, an infinity is one of them.
    if not (np.isfinite(scores.min()) and np.isfinite(scores.max())):
        raise not_finite(name)
    if path == "numba" and not numba_is_usable():
        raise EvaluationError("The path 'numba' needs numba: install ovrisisbench[fast], or leave path at 'auto'.")
    if path == "numba" or (path == "auto" and numba_is_usable()):
        from ovrisisbench.evaluate._numba_labels import numba_labels

        return numba_labels(scores, height, width)

    import torch

    from ovrisisbench.evaluate._torch_labels import torch_labels

    # torch warns of arrays that it could write to but should not.
    own = scores if scores.flags.writeable else scores.copy()
    return torch_labels(torch.from_numpy(own), height, width)


def _as_float32(logits: NDArray[np.floating] | torch.Tensor) -> NDArray[np.float32]:
    if is_tensor(logits):
        array: NDArray[np.float32] = logits.detach().float().contiguous().numpy()
        return array
    with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is refused
        return np.ascontiguousarray(logits, np.float32)


def _on_device(logits: torch.Tensor, height: int, width: int, name: str) -> NDArray[np.uint8]:
    from ovrisisbench.evaluate._torch_labels import device_labels

    scores = logits.detach().float()
    if not bool(scores.isfinite().all()):
        raise not_finite(name)
    labels: NDArray[np.uint8] = device_labels(scores, height, width).cpu().numpy()
    return labels
