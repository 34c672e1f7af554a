from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.scan.ensemble import class_scores, cosine_logits, map_of_scores


@pytest.fixture
def logits() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    valid = torch.tensor([True, False, True, True, False])
    return torch.randn(5, 4, generator=generator), torch.randn(3, 3, generator=generator), valid


def _softmax(row: list[float]) -> list[float]:
    total = sum(math.exp(value) for value in row)
    return [math.exp(value) / total for value in row]


@pytest.mark.parametrize("weight", [0.3, 0.7, 1.0])
def test_probabilities_are_multiplied_as_powers(logits: tuple[Tensor, Tensor, Tensor], weight: float) -> None:
    inside, outside, valid = logits
    rows = iter(outside.tolist())
    expected = []
    for query, hit in zip(inside.tolist(), valid.tolist(), strict=True):
        own = _softmax(query)[:-1]  # "no object" is dropped behind the softmax
        crop = _softmax(next(rows)) if hit else [1.0] * 3
        expected.append([a ** (1 - weight) * b**weight for a, b in zip(own, crop, strict=True)])
    torch.testing.assert_close(class_scores(inside, outside, valid, weight), torch.tensor(expected))


def test_with_weight_nought_the_crops_alone_count(logits: tuple[Tensor, Tensor, Tensor]) -> None:
    inside, outside, valid = logits
    scores = class_scores(inside, outside, valid, 0.0)
    torch.testing.assert_close(scores[valid], outside.softmax(dim=-1))
    assert not scores[~valid].any(), "queries without a crop add nothing"


def test_without_any_crop_the_queries_alone_count(logits: tuple[Tensor, Tensor, Tensor]) -> None:
    inside, outside, valid = logits
    none = torch.zeros_like(valid)
    scores = class_scores(inside, outside[:0], none, 0.7)
    torch.testing.assert_close(scores, inside.softmax(dim=-1)[:, :-1] ** 0.3)
    assert not class_scores(inside, outside[:0], none, 0.0).any()


def test_logits_are_a_hundred_cosines() -> None:
    torch.manual_seed(0)
    features, text = torch.randn(4, 8), F.normalize(torch.randn(3, 8), dim=-1)
    expected = torch.tensor([[100 * float(f @ t) / float(f.norm()) for t in text] for f in features])
    torch.testing.assert_close(cosine_logits(features, text), expected, atol=1e-4, rtol=1e-5)


def test_masks_are_added_up_with_their_scores() -> None:
    torch.manual_seed(0)
    scores, masks = torch.rand(4, 3), torch.rand(4, 5, 6)
    expected = sum(scores[query, :, None, None] * masks[query] for query in range(4))
    torch.testing.assert_close(map_of_scores(scores, masks), expected)
