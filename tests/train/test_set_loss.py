from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.training.set_loss import (
    Proposed,
    SetLossConfig,
    Truth,
    matched,
    normalisers,
    set_loss,
    truths,
)

CLASSES, QUERIES, SIDE = 5, 7, 32
CONFIG = SetLossConfig()


def _labels(images: int = 2) -> Tensor:
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    quarters = (y // 16) * 2 + x // 16
    return torch.stack([torch.where(quarters == 3, 255, quarters + image) for image in range(images)]).to(torch.uint8)


def _drawn(images: int = 2) -> Proposed:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randn(images, QUERIES, 8, 8, generator=generator)
    return Proposed(masks, torch.randn(images, QUERIES, CLASSES + 1, generator=generator))


def _right(truth: Truth, order: list[int]) -> Proposed:
    """Proposals of one image that are sure of the truth, at the given queries; the others are sure of nothing."""
    masks = torch.full((1, QUERIES, SIDE, SIDE), -4.0)
    classes = torch.full((1, QUERIES, CLASSES + 1), -20.0)
    classes[0, :, -1] = 20.0
    for number, query in enumerate(order):
        masks[0, query] = 8 * truth.masks[number] - 4
        classes[0, query, -1] = -20.0
        classes[0, query, truth.classes[number]] = 20.0
    return Proposed(masks, classes)


def _loss(proposed: Proposed, labels: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return set_loss(proposed, truths(labels), CONFIG, normalisers(labels, QUERIES, CONFIG))


def test_every_class_of_an_image_is_one_mask_and_ignored_pixels_are_in_none() -> None:
    first, second = truths(_labels())
    assert first.classes.tolist() == [0, 1, 2]
    assert second.classes.tolist() == [1, 2, 3]
    assert first.masks.sum(dim=(1, 2)).tolist() == [256.0] * 3
    assert first.masks[:, 16:, 16:].sum() == 0
    assert normalisers(_labels(), QUERIES, CONFIG) == {"masks": 6.0, "weights": pytest.approx(6 + 0.1 * 8)}


@pytest.mark.parametrize("order", [[0, 1, 2], [6, 2, 4], [3, 5, 0]])
def test_the_right_proposals_are_matched_wherever_they_stand_and_lose_little(order: list[int]) -> None:
    labels = _labels(1)
    (truth,) = truths(labels)
    proposed = _right(truth, order)
    queries, numbers = matched(proposed, truth, CONFIG)
    assert dict(zip(queries.tolist(), numbers.tolist(), strict=True)) == {query: n for n, query in enumerate(order)}
    losses, of_others = _loss(proposed, labels), _loss(_drawn(1), labels)
    assert float(losses["class"]) < 1e-5
    # Not nothing: most places lie on the borders, where a place sees both sides.
    assert float(losses["dice"]) < 0.3 * float(of_others["dice"])
    assert float(losses["mask"]) < 0.3 * float(of_others["mask"])


def test_the_losses_are_those_of_an_independent_implementation() -> None:
    transformers = pytest.importorskip("transformers")
    from transformers.models.mask2former.modeling_mask2former import Mask2FormerLoss

    config = transformers.Mask2FormerConfig(
        num_labels=CLASSES,
        no_object_weight=0.1,
        class_weight=2.0,
        mask_weight=5.0,
        dice_weight=5.0,
        train_num_points=12544,
        oversample_ratio=3.0,
        importance_sample_ratio=0.75,
    )
    weights = {"loss_cross_entropy": 2.0, "loss_mask": 5.0, "loss_dice": 5.0}
    reference = Mask2FormerLoss(config, weights)
    labels, proposed = _labels(), _drawn()
    truth = truths(labels)
    torch.manual_seed(1)
    expected = reference(
        proposed.masks, proposed.classes, [true.masks for true in truth], [true.classes for true in truth]
    )
    found = _loss(proposed, labels)
    # Masks are compared at random places, so they agree up to the noise of twelve thousand draws.
    assert float(found["class"]) == pytest.approx(2 * float(expected["loss_cross_entropy"]), rel=1e-5)
    assert float(found["mask"]) == pytest.approx(5 * float(expected["loss_mask"]), rel=0.03)
    assert float(found["dice"]) == pytest.approx(5 * float(expected["loss_dice"]), rel=0.03)


def test_the_parts_of_a_batch_add_up_to_its_loss() -> None:
    # With masks that are the same everywhere it hardly matters which places are drawn: only a rim differs.
    labels = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
    labels[1] = 4
    generator = torch.Generator().manual_seed(0)
    masks = torch.randn(3, QUERIES, 1, 1, generator=generator).expand(-1, -1, 8, 8)
    proposed = Proposed(masks, torch.randn(3, QUERIES, CLASSES + 1, generator=generator))
    totals = normalisers(labels, QUERIES, CONFIG)
    whole = set_loss(proposed, truths(labels), CONFIG, totals)
    parts = [
        set_loss(Proposed(*(each[i : i + 1] for each in proposed)), truths(labels[i : i + 1]), CONFIG, totals)
        for i in range(3)
    ]
    for name, value in whole.items():
        torch.testing.assert_close(sum(part[name] for part in parts), value, rtol=0.03, atol=0)


def test_an_image_without_classes_teaches_background_alone() -> None:
    labels = torch.full((1, SIDE, SIDE), 255, dtype=torch.uint8)
    proposed = Proposed(*(each.requires_grad_() for each in _drawn(1)))
    losses = _loss(proposed, labels)
    assert losses["mask"] == losses["dice"] == 0
    everything = torch.full((QUERIES,), CLASSES)
    torch.testing.assert_close(losses["class"], 2 * F.cross_entropy(proposed.classes[0], everything))
    sum(losses.values()).backward()
    assert proposed.masks.grad is not None
    assert not proposed.masks.grad.any()


def test_more_classes_than_queries_match_every_query_once() -> None:
    labels = _labels(1)
    (truth,) = truths(labels)
    few = Proposed(*(each[:, :2] for each in _drawn(1)))
    queries, numbers = matched(few, truth, CONFIG)
    assert queries.tolist() == [0, 1]
    assert len(set(numbers.tolist())) == 2
    assert normalisers(labels, 2, CONFIG) == {"masks": 3.0, "weights": 2.0}


def test_most_places_are_where_a_mask_is_least_certain() -> None:
    from ovrisisbench.adapters.training.set_loss import _uncertain_places

    logits = torch.linspace(-8, 8, 16).expand(1, 16, 16)  # certain at both sides
    places = _uncertain_places(logits, CONFIG)[0]
    assert places.shape == (CONFIG.points, 2)
    middle = ((places[:, 0] - 0.5).abs() < 0.14).float().mean()
    assert 0.75 < float(middle) < 0.9
