from __future__ import annotations

import random

import torch

from ovrisisbench.adapters.scan.replacement import draw_patches, generator_for, replaced


def _touched(regions: int = 5, patches: int = 49) -> torch.Tensor:
    return torch.rand(regions, patches, generator=torch.Generator().manual_seed(0)) < 0.4


def test_the_calls_are_those_of_the_original() -> None:
    touched = _touched()
    random.seed(11)
    expected = []
    for _layer in range(3):
        of_layer = []
        for row in touched:
            background = [patch for patch, hit in enumerate(row.tolist()) if not hit]
            places = random.sample(list(range(len(background))), int(0.15 * len(background)))
            of_layer.append([background[place] for place in places])
        expected.append(of_layer)
    assert draw_patches(touched, 0.15, 3, random.Random(11)) == expected
    assert expected[0] != expected[1], "every layer draws anew"
    assert all(3 <= len(numbers) <= 6 for layer in expected for numbers in layer)


def test_only_background_patches_are_drawn_and_each_once() -> None:
    touched = _touched()
    for layer in draw_patches(touched, 1.0, 2, random.Random(0)):
        for row, numbers in zip(touched, layer, strict=True):
            assert sorted(numbers) == (~row).nonzero().flatten().tolist()


def test_nothing_is_drawn_with_ratio_nought_or_without_background() -> None:
    generator = random.Random(3)
    state = generator.getstate()
    assert draw_patches(_touched(), 0.0, 2, generator) == [[[]] * 5] * 2
    assert draw_patches(torch.ones(2, 9, dtype=torch.bool), 0.9, 1, generator) == [[[], []]]
    assert generator.getstate() == state


def test_a_generator_follows_from_seed_and_image_alone() -> None:
    first = generator_for(0, "P0003").random()
    generator_for(0, "P0004").random()
    random.seed(5)
    assert generator_for(0, "P0003").random() == first
    assert first not in (generator_for(1, "P0003").random(), generator_for(0, "P0004").random())


def test_a_draw_becomes_a_mask() -> None:
    mask = replaced([[3, 0], [], [4]], 5)
    assert mask.int().tolist() == [[1, 0, 0, 1, 0], [0] * 5, [0, 0, 0, 0, 1]]
