from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ovrisisbench.adapter.recipe import Recipe, load_recipe
from ovrisisbench.train.augmentation import augmented, resized_labels
from ovrisisbench.train.colour import jittered, scaled

RECIPE = load_recipe("ovrisisbench.adapters.rskt_seg:recipe.yaml").recipe


def _recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({**RECIPE.model_dump(), "colour": "none", "flip": 0.0, **changes})


def _picture(height: int = 256, width: int = 256) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return image, rng.integers(0, 9, (height, width), np.uint8)


def test_labels_are_resized_by_torchs_rule_and_not_by_pillows() -> None:
    rows = np.arange(256, dtype=np.uint8)[:, None].repeat(2, axis=1)
    by_torch = resized_labels(rows, 384, 2)[:, 0]
    assert by_torch[:9].tolist() == [0, 0, 1, 2, 2, 3, 4, 4, 5]
    by_pillow = np.asarray(Image.fromarray(rows).resize((2, 384), Image.Resampling.NEAREST))[:, 0]
    assert by_pillow[:4].tolist() == [0, 1, 1, 2]
    assert (by_torch != by_pillow).mean() > 0.05


@given(old=st.integers(1, 700), new=st.integers(1, 700))
def test_the_source_of_a_label_is_the_floor_of_its_place(old: int, new: int) -> None:
    numbers = (np.arange(old) % 251).astype(np.uint8)[:, None]
    exact = [i * old // new for i in range(new)]
    found = resized_labels(numbers, new, 1)[:, 0]
    # torch works in float32, which may fall on the other side of a whole number.
    near = [{numbers[max(0, min(old - 1, source + step)), 0] for step in (-1, 0)} for source in exact]
    assert all(label in choices for label, choices in zip(found, near, strict=True))
    assert (found == numbers[exact, 0]).mean() > 0.6 or new < 8


def test_a_tile_is_enlarged_as_pillow_does_and_the_crop_takes_all_of_it() -> None:
    image, labels = _picture()
    crop, mask = augmented(image, labels, _recipe(), np.random.default_rng(1))
    expected = np.asarray(Image.fromarray(image).resize((384, 384), Image.Resampling.BILINEAR))
    assert np.array_equal(crop, expected)
    assert np.array_equal(mask, resized_labels(labels, 384, 384))


def test_a_long_picture_is_cropped_at_every_place_and_image_and_labels_stay_together() -> None:
    labels = np.tile(np.arange(200, dtype=np.uint8), (64, 1))
    image = labels[..., None].repeat(3, axis=2)
    starts = set()
    for seed in range(300):
        crop, mask = augmented(image, labels, _recipe(short_side=64, crop=64), np.random.default_rng(seed))
        assert np.array_equal(crop[..., 0], mask)
        starts.add(int(mask[0, 0]))
    assert min(starts) == 0
    assert max(starts) == 200 - 64


def test_what_is_missing_is_filled_right_and_below_with_grey_that_is_ignored() -> None:
    image, labels = _picture(64, 128)
    crop, mask = augmented(image, labels, _recipe(short_side=64, long_side=96, crop=96), np.random.default_rng(0))
    assert crop.shape == (96, 96, 3)
    assert (crop[48:] == 128).all()
    assert (mask[48:] == 255).all()
    assert (mask[:48] != 255).all()


def test_a_flip_mirrors_both_and_comes_as_often_as_said() -> None:
    image, labels = _picture(64, 64)
    small = {"short_side": 64, "crop": 64}
    plain = augmented(image, labels, _recipe(**small), np.random.default_rng(0))
    turned = augmented(image, labels, _recipe(**small, flip=1.0), np.random.default_rng(0))
    for one, other in zip(plain, turned, strict=True):
        assert np.array_equal(one[:, ::-1], other)
    half = [
        np.array_equal(augmented(image, labels, _recipe(**small, flip=0.5), np.random.default_rng(seed))[1], plain[1])
        for seed in range(400)
    ]
    assert 0.4 < np.mean(half) < 0.6


def test_the_short_side_is_drawn_from_all_that_are_given() -> None:
    labels = np.arange(64, dtype=np.uint8)[None].repeat(64, axis=0)
    image = labels[..., None].repeat(3, axis=2)
    recipe = _recipe(short_side=(32, 64), crop=64)
    shares = [(augmented(image, labels, recipe, np.random.default_rng(seed))[1] != 255).mean() for seed in range(40)]
    assert set(shares) == {0.25, 1.0}


def test_colour_leaves_labels_alone_and_the_same_generator_gives_the_same_picture() -> None:
    image, labels = _picture()
    plain = augmented(image, labels, _recipe(), np.random.default_rng(5))
    one, other = (augmented(image, labels, _recipe(colour="ssd"), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], plain[1])
    assert not np.array_equal(one[0], plain[0])


@pytest.mark.parametrize(("factor", "offset", "expected"), [(1.5, 0, [0, 151, 255]), (1, -31.5, [0, 69, 218])])
def test_scaling_is_clipped_and_cut_off_not_rounded(factor: float, offset: float, expected: list[int]) -> None:
    assert scaled(np.array([0, 101, 250], np.uint8), factor=factor, offset=offset).tolist() == expected


def test_a_sixteenth_of_all_pictures_keeps_its_colours_and_grey_moves_by_brightness_and_contrast_alone() -> None:
    image, _ = _picture(8, 8)
    kept = [np.array_equal(jittered(image, np.random.default_rng(seed)), image) for seed in range(800)]
    assert 0.03 < np.mean(kept) < 0.1
    grey = np.full((2, 2, 3), 100, np.uint8)
    found = [int(jittered(grey, np.random.default_rng(seed))[0, 0, 0]) for seed in range(500)]
    assert all(np.ptp(jittered(grey, np.random.default_rng(seed)), axis=-1).max() == 0 for seed in range(50))
    assert min(found) >= (100 - 32) // 2 - 2
    assert max(found) <= 132 * 1.5
    assert min(found) < 60
    assert max(found) > 160


def test_hue_turns_by_at_most_36_degrees() -> None:
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 0] = 255
    greens = [int(jittered(red, np.random.default_rng(seed))[0, 0, 1]) for seed in range(300)]
    blues = [int(jittered(red, np.random.default_rng(seed))[0, 0, 2]) for seed in range(300)]
    # 36 degrees away from pure red the second channel has 0.6 of the first.
    assert 120 < max(greens) <= 0.6 * 255 + 32 + 128
    assert max(blues) > 120
