"""The loss of models that propose masks: Mask2Former's, as SAN uses it.

Every class that an image shows is one true mask. Proposals and truth are
matched one to one by the Hungarian method; matched proposals learn class and
mask, the others learn that they are background. Masks are compared at random
points: for the match at points that are the same for all, for the loss at
points where the proposal is least certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.training.pixel_loss import IGNORED
from ovrisisbench.errors import AdapterError

__all__ = ["Proposed", "SetLossConfig", "Truth", "matched", "normalisers", "set_loss", "truths"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLossConfig:
    """Weights and numbers of the official configurations."""

    of_class: float = 2.0
    of_mask: float = 5.0
    of_dice: float = 5.0
    background: float = 0.1
    """Weight of the background in the cross-entropy."""
    points: int = 112 * 112
    """Places at which masks are compared."""
    oversampled: float = 3.0
    """So many times as many are drawn, of which the least certain are taken ..."""
    uncertain: float = 0.75
    """... for this share of the places; the others are drawn anew."""


class Truth(NamedTuple):
    """What one image shows."""

    classes: Tensor
    """(M,) int64, rising."""
    masks: Tensor
    """(M, H, W) float32, 0 or 1."""


class Proposed(NamedTuple):
    """Q proposals for each of B images."""

    masks: Tensor
    """(B, Q, h, w) logits."""
    classes: Tensor
    """(B, Q, K + 1) logits, the background last."""


def truths(labels: Tensor) -> list[Truth]:
    """Return for each of the label maps (B, H, W) one mask for every class in it; ignored pixels are in none."""
    found = []
    for label in labels:
        classes = label.unique()
        classes = classes[classes != IGNORED]
        found.append(Truth(classes.long(), (label == classes[:, None, None]).float()))
    return found


def normalisers(labels: Tensor, queries: int, config: SetLossConfig) -> dict[str, float]:
    """Return what label maps (B, H, W) add to the numbers of a batch: true masks, and weights of the cross-entropy."""
    counts = [int((label.unique() != IGNORED).sum()) for label in labels]
    weights = [min(count, queries) + config.background * max(0, queries - count) for count in counts]
    return {"masks": float(sum(counts)), "weights": float(sum(weights))}


def set_loss(
    proposed: Proposed, truth: Sequence[Truth], config: SetLossConfig, totals: Mapping[str, float]
) -> dict[str, Tensor]:
    """Return what some images add to the three losses of a batch, weighted, float32 scalars.

    Args:
        proposed: of these images.
        truth: of these images.
        config: weights.
        totals: sums of :func:`normalisers` over the whole batch.
    """
    masks, classes = proposed.masks.float(), proposed.classes.float()
    pairs = [
        matched(Proposed(mask[None], logits[None]), true, config)
        for mask, logits, true in zip(masks, classes, truth, strict=True)
    ]
    background = classes.shape[-1] - 1
    targets = torch.full(classes.shape[:2], background, device=classes.device)
    for row, ((queries, numbers), true) in enumerate(zip(pairs, truth, strict=True)):
        targets[row, queries] = true.classes[numbers]
    weights = torch.ones(background + 1, device=classes.device)
    weights[-1] = config.background
    of_class = F.cross_entropy(classes.flatten(0, 1), targets.flatten(), weight=weights, reduction="sum")
    logits = torch.cat([mask[queries] for mask, (queries, _) in zip(masks, pairs, strict=True)])
    true_masks = torch.cat([true.masks[numbers] for true, (_, numbers) in zip(truth, pairs, strict=True)])
    of_mask, of_dice = _mask_losses(logits, true_masks, config)
    count = max(1.0, totals["masks"])
    return {
        "class": config.of_class * of_class / max(1e-9, totals["weights"]),
        "mask": config.of_mask * of_mask / count,
        "dice": config.of_dice * of_dice / count,
    }


@torch.no_grad()
def matched(proposed: Proposed, truth: Truth, config: SetLossConfig) -> tuple[Tensor, Tensor]:
    """Match the proposals of one image (B = 1) with its true masks at the least cost.

    Returns:
        Numbers of the matched proposals, rising, and of the true masks that they got; as many as the fewer of both.

    Raises:
        AdapterError: scipy is not installed.
    """
    device = proposed.masks.device
    if not len(truth.classes):
        return torch.zeros(0, dtype=torch.long, device=device), torch.zeros(0, dtype=torch.long, device=device)
    places = torch.rand(1, config.points, 2, device=device)
    logits = _at(proposed.masks[0][:, None], places.expand(proposed.masks.shape[1], -1, -1))  # (Q, P)
    true = _at(truth.masks[:, None], places.expand(len(truth.masks), -1, -1))  # (M, P)
    by_class = -proposed.classes[0].softmax(-1)[:, truth.classes]
    by_mask = (F.softplus(-logits) @ true.T + F.softplus(logits) @ (1 - true).T) / config.points
    found = logits.sigmoid()
    overlap, size = found @ true.T, found.sum(1, keepdim=True) + true.sum(1)
    by_dice = 1 - (2 * overlap + 1) / (size + 1)
    cost = config.of_class * by_class + config.of_mask * by_mask + config.of_dice * by_dice
    queries, numbers = _assignment(cost.cpu())
    return queries.to(device), numbers.to(device)


def _mask_losses(logits: Tensor, true: Tensor, config: SetLossConfig) -> tuple[Tensor, Tensor]:
    """Sums over N matched masks (N, h, w) and (N, H, W) of binary cross-entropy and of dice, at uncertain places."""
    if not len(logits):
        return logits.sum(), logits.sum()
    with torch.no_grad():
        places = _uncertain_places(logits, config)
        expected = _at(true[:, None], places)
    found = _at(logits[:, None], places)
    of_mask = F.binary_cross_entropy_with_logits(found, expected, reduction="none").mean(1).sum()
    shares = found.sigmoid()
    dice = 1 - (2 * (shares * expected).sum(1) + 1) / (shares.sum(1) + expected.sum(1) + 1)
    return of_mask, dice.sum()


def _uncertain_places(logits: Tensor, config: SetLossConfig) -> Tensor:
    """Draw places (N, P, 2) in 0..1, most of them where the logits (N, h, w) are nearest to 0 among many draws."""
    many = torch.rand(len(logits), int(config.points * config.oversampled), 2, device=logits.device)
    certain = _at(logits[:, None], many).abs()
    count = int(config.points * config.uncertain)
    nearest = certain.topk(count, dim=1, largest=False).indices[..., None].expand(-1, -1, 2)
    others = torch.rand(len(logits), config.points - count, 2, device=logits.device)
    return torch.cat([many.gather(1, nearest), others], dim=1)


def _at(maps: Tensor, places: Tensor) -> Tensor:
    """Read maps (N, 1, h, w) bilinearly at places (N, P, 2), x before y, 0..1 over the whole map; (N, P)."""
    return F.grid_sample(maps, 2 * places[:, :, None] - 1, mode="bilinear", align_corners=False)[:, 0, :, 0]


def _assignment(cost: Tensor) -> tuple[Tensor, Tensor]:
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise AdapterError(
            "Matching masks in training needs the package scipy; install it with pip install 'ovrisisbench[train]'."
        ) from error
    rows, columns = linear_sum_assignment(cost.double().numpy())
    return torch.as_tensor(rows), torch.as_tensor(columns)
