from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ovrisisbench.adapters.scan.merging import merge_steps

PATCHES = 6


def _bits(crops: list[list[int]]) -> Tensor:
    patches = torch.zeros(len(crops), PATCHES, dtype=torch.bool)
    for row, numbers in zip(patches, crops, strict=True):
        row[numbers] = True
    return patches


def test_replaced_patches_become_one_row_with_their_number() -> None:
    (merge,) = merge_steps([_bits([[1, 4, 5], [2]])])
    assert merge.rows[0].tolist()[:4] == [0, 1, 3, 4], "the class token, and patches 0, 2 and 3"
    assert merge.fresh.tolist() == [[False] * 4 + [True] + [False] * 2, [False] * 6 + [True]]
    assert merge.weights.exp().round().tolist() == [[1, 1, 1, 1, 3, 0, 0], [1] * 7]


def test_without_replacement_all_rows_stay() -> None:
    (merge,) = merge_steps([_bits([[]])])
    assert merge.rows.tolist() == [list(range(PATCHES + 1))]
    assert not merge.fresh.any()
    assert not merge.weights.any()
    assert merge_steps([]) == []


@given(st.lists(st.lists(st.sets(st.integers(0, PATCHES - 1)), min_size=2, max_size=2), min_size=1, max_size=4))
def test_the_rows_are_the_tokens_that_overwriting_gives(steps: list[list[set[int]]]) -> None:
    masks = [_bits([sorted(numbers) for numbers in step]) for step in steps]
    full = torch.arange(2.0 * (PATCHES + 1)).view(2, PATCHES + 1, 1)
    merged = full
    for number, (mask, merge) in enumerate(zip(masks, merge_steps(masks), strict=True)):
        token = torch.tensor([100.0 + number])
        full, merged = full.clone(), merge.apply(merged, token)
        full[:, 1:][mask] = token
        for crop in range(2):
            counts = merge.weights[crop].exp().round().int()
            assert counts[0] == 1
            spread = merged[crop].flatten().repeat_interleave(counts)
            assert spread.sort().values.tolist() == full[crop].flatten().sort().values.tolist()
            assert len(set(merged[crop][counts > 0].flatten().tolist())) == int((counts > 0).sum()), "no two are equal"
