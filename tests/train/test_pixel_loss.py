from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.training.pixel_loss import counted_pixels, pixel_loss


def _drawn(images: int = 3, classes: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(images, classes, 6, 6, generator=generator)
    labels = torch.randint(0, classes + 1, (images, 24, 24), generator=generator)
    return logits, torch.where(labels == classes, 255, labels).to(torch.uint8)


def _loss(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    return pixel_loss(logits, labels, kind, pixels=counted_pixels(labels, kind))


def _plain(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    """As the official code and the papers have it."""
    logits = F.interpolate(logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
    if kind == "cross-entropy":
        return F.cross_entropy(logits, labels.long(), ignore_index=255)
    targets = torch.stack([(labels == number).float() for number in range(logits.shape[1])], dim=1)
    if kind == "bce-all":
        return F.binary_cross_entropy_with_logits(logits, targets)
    every = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return every.permute(0, 2, 3, 1)[labels != 255].mean()


@pytest.mark.parametrize("kind", ["bce-all", "bce-valid", "cross-entropy"])
def test_a_loss_and_its_gradient_are_those_written_plainly(kind: str) -> None:
    logits, labels = _drawn()
    ours, plain = (logits.clone().requires_grad_() for _ in range(2))
    loss, expected = _loss(ours, labels, kind), _plain(plain, labels, kind)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(ours.grad, plain.grad, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", ["bce-all", "bce-valid", "cross-entropy"])
def test_the_parts_of_a_batch_add_up_to_its_loss(kind: str) -> None:
    logits, labels = _drawn()
    total = counted_pixels(labels, kind)
    parts = [pixel_loss(logits[i : i + 1], labels[i : i + 1], kind, pixels=total) for i in range(3)]
    torch.testing.assert_close(sum(parts), _loss(logits, labels, kind))


def test_ignored_pixels_teach_every_class_its_absence_or_nothing() -> None:
    logits, labels = _drawn()
    nothing = torch.full_like(labels, 255)
    assert _loss(logits, nothing, "bce-valid") == _loss(logits, nothing, "cross-entropy") == 0
    torch.testing.assert_close(_loss(logits, nothing, "bce-all"), _plain(logits, nothing, "bce-all"))
    losses = {kind: float(_loss(logits, labels, kind)) for kind in ("bce-all", "bce-valid", "cross-entropy")}
    assert len({round(loss, 3) for loss in losses.values()}) == 3


def test_large_logits_stay_finite_and_half_precision_is_widened() -> None:
    logits, labels = _drawn()
    for kind in ("bce-all", "bce-valid", "cross-entropy"):
        loss = _loss((1e4 * logits).to(torch.bfloat16), labels, kind)
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
