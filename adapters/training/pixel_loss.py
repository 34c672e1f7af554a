"""The losses of models that score every class at every pixel.

The official codes of the CAT-Seg family and of SED enlarge the logits to the
label map and take the binary cross-entropy of every class at every pixel. An
ignored pixel has no class, so it teaches every class that it is not there:
``bce-all``. The other two are what the papers mean, or say.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapter.recipe import PixelLoss

__all__ = ["IGNORED", "counted_pixels", "pixel_loss"]

IGNORED: Final = 255
"""Value of ignored pixels in a label map."""


def counted_pixels(labels: Tensor, kind: PixelLoss) -> int:
    """Return over how many pixels of label maps (B, H, W) the mean of a loss runs."""
    return labels.numel() if kind == "bce-all" else int((labels != IGNORED).sum())


def pixel_loss(logits: Tensor, labels: Tensor, kind: PixelLoss, *, pixels: float) -> Tensor:
    """Return what some images add to the loss of a batch, a float32 scalar.

    Args:
        logits: (B, K, h, w); enlarged here to the size of the labels (bilinear, ``align_corners`` false).
        labels: (B, H, W) uint8, 0..K-1, 255 for ignored pixels.
        kind: which loss.
        pixels: :func:`counted_pixels` of the whole batch; 0 only if nothing of it counts.
    """
    logits = F.interpolate(logits.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False)
    valid, labels = labels != IGNORED, labels.long()
    if kind == "cross-entropy":
        return F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum") / max(1.0, pixels)
    # The cross-entropy with a target of 0 is softplus(x); a target of 1 takes x away.
    of_truth = logits.gather(1, torch.where(valid, labels, 0)[:, None])[:, 0]
    if kind == "bce-all":
        total = F.softplus(logits).sum() - (of_truth * valid).sum()
    else:
        total = ((F.softplus(logits).sum(1) - of_truth) * valid).sum()
    return total / max(1.0, pixels * logits.shape[1])
