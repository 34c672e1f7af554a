from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.san import semantic_inference
from ovrisisbench.adapters.san.semantic_inference import Sizes, class_scores, resize_matrix, resized_masks

CASES = [
    (Sizes((256, 256), (640, 640), (640, 640)), (40, 40)),
    (Sizes((384, 518), (640, 863), (640, 864)), (40, 54)),
    (Sizes((1000, 333), (1922, 640), (1952, 640)), (122, 40)),
    (Sizes((37, 91), (640, 1574), (640, 1600)), (40, 100)),
    (Sizes((13, 2000), (17, 2560), (32, 2560)), (2, 160)),
    (Sizes((1, 1), (640, 640), (640, 640)), (40, 40)),
]


def _resized_twice(maps: Tensor, sizes: Sizes) -> Tensor:
    """Enlarge (Q, h, w) to the padded image, cut the padding off, resize to the original."""
    enlarged = F.interpolate(maps[None], size=sizes.padded, mode="bilinear", align_corners=False)
    cut = enlarged[..., : sizes.mapped[0], : sizes.mapped[1]]
    return F.interpolate(cut, size=sizes.original, mode="bilinear", align_corners=False)[0]


def _scores(masks: Tensor, class_logits: Tensor) -> Tensor:
    chances = class_logits.exp() / class_logits.exp().sum(1, keepdim=True)
    shape = (class_logits.shape[1] - 1, *masks.shape[1:])
    scores = torch.zeros(shape)
    for mask, chance in zip(masks, chances, strict=True):
        for index in range(shape[0]):
            scores[index] += chance[index] / (1 + (-mask).exp())
    return scores


@pytest.mark.parametrize(("sizes", "grid"), CASES)
def test_two_matrices_do_what_the_two_resizes_with_the_cut_between_do(sizes: Sizes, grid: tuple[int, int]) -> None:
    torch.manual_seed(0)
    maps = 20 * torch.randn(3, *grid)
    torch.testing.assert_close(resized_masks(maps, sizes), _resized_twice(maps, sizes), atol=5e-5, rtol=0)


@pytest.mark.parametrize(("sizes", "grid"), CASES)
def test_scores_are_the_sum_of_masks_weighted_by_chances(sizes: Sizes, grid: tuple[int, int]) -> None:
    torch.manual_seed(1)
    maps, class_logits = 5 * torch.randn(7, *grid), 3 * torch.randn(7, 5)
    scores = class_scores(maps, class_logits, sizes)
    assert scores.shape == (4, *sizes.original)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, _scores(_resized_twice(maps, sizes), class_logits), atol=2e-5, rtol=0)


def test_one_resize_or_one_without_the_cut_would_be_other_maps() -> None:
    torch.manual_seed(0)
    sizes, maps = Sizes((384, 518), (640, 863), (640, 864)), torch.randn(3, 40, 54)
    ours = resized_masks(maps, sizes)
    once = F.interpolate(maps[None], size=(384, 518), mode="bilinear", align_corners=False)[0]
    uncut = _resized_twice(maps, sizes._replace(mapped=sizes.padded))
    assert (ours - once).abs().max() > 0.05
    assert (ours - uncut).abs().max() > 1e-3


def test_rows_of_a_resize_matrix_add_up_to_one() -> None:
    matrix = resize_matrix(54, 864, 863, 518)
    assert matrix.shape == (518, 54)
    torch.testing.assert_close(matrix.sum(1), torch.ones(518))
    assert (matrix >= 0).all()
    assert ((matrix > 0).sum(1) <= 3).all()


def test_the_background_takes_its_share_and_is_dropped() -> None:
    sizes = Sizes((8, 8), (640, 640), (640, 640))
    masks = torch.full((1, 40, 40), 50.0)
    scores = class_scores(masks, torch.tensor([[0.0, 0.0]]), sizes)
    torch.testing.assert_close(scores, torch.full((1, 8, 8), 0.5))


@pytest.mark.parametrize("tile", [1, 700, 5000, 1 << 20])
def test_tiles_do_not_show(monkeypatch: pytest.MonkeyPatch, tile: int) -> None:
    torch.manual_seed(2)
    sizes = Sizes((61, 43), (908, 640), (928, 640))
    maps, class_logits = 5 * torch.randn(7, 58, 40), torch.randn(7, 4)
    whole = class_scores(maps, class_logits, sizes)
    monkeypatch.setattr(semantic_inference, "_TILE", tile)
    torch.testing.assert_close(class_scores(maps, class_logits, sizes), whole, atol=1e-6, rtol=0)


def test_scores_stay_float32_under_autocast() -> None:
    torch.manual_seed(3)
    sizes = Sizes((61, 43), (908, 640), (928, 640))
    maps, class_logits = torch.randn(7, 58, 40), torch.randn(7, 4)
    expected = class_scores(maps, class_logits, sizes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(class_scores(maps, class_logits, sizes), expected)
        rough = class_scores(maps.bfloat16(), class_logits.bfloat16(), sizes)
    assert rough.dtype == torch.float32


def test_inputs_are_left_as_they_are() -> None:
    maps, class_logits = torch.randn(2, 40, 40), torch.randn(2, 3)
    before = maps.clone(), class_logits.clone()
    class_scores(maps, class_logits, Sizes((9, 9), (640, 640), (640, 640)))
    assert torch.equal(maps, before[0])
    assert torch.equal(class_logits, before[1])
