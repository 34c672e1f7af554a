"""Pictures of nothing are drawn by their seed alone, each another one, with shapes of all sizes and grain on them."""

import numpy as np

from ovrisisbench.adapters.tiny_encoders.leaves import draw_leaves
from ovrisisbench.adapters.tiny_encoders.make_dino import train


def test_a_picture_depends_on_seed_and_number_alone() -> None:
    three, two = draw_leaves(3, side=48, seed=1), draw_leaves(2, side=48, seed=1)
    assert three.shape == (3, 48, 48, 3)
    assert three.dtype == np.uint8
    assert np.array_equal(three[:2], two)
    assert not np.array_equal(three[0], three[1])
    assert not np.array_equal(two, draw_leaves(2, side=48, seed=2))


def test_pictures_are_full_of_edges_and_have_every_colour() -> None:
    drawn = draw_leaves(8, side=96, seed=0).astype(float)
    steps = np.abs(np.diff(drawn.mean(axis=3), axis=2))
    assert 0.02 < (steps > 40).mean() < 0.3
    assert drawn.std(axis=(0, 1, 2)).min() > 50


def test_a_dino_of_leaves_is_another_one_than_that_of_the_mini_world() -> None:
    of_leaves, of_scenes = (
        train(of=of, pictures=2, iterations=1, batch=2, seed=0).state_dict()["blocks.0.attn.qkv.weight"]
        for of in ("leaves", "mini-world")
    )
    assert (of_leaves != of_scenes).any()
