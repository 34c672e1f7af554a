"""The floors answer without looking, the same whenever they are asked."""

from pathlib import Path

import numpy as np
import pytest

from ovrisisbench.adapter import LoadOptions, find_adapter
from ovrisisbench.errors import AdapterError

IMAGE = np.zeros((64, 96, 3), np.uint8)


def _floor(name: str, **options):
    return find_adapter(name).load_class().load(LoadOptions(backbone="none", **options))


def _labels(floor, image_id: str) -> np.ndarray:
    (score_map,) = floor.predict([IMAGE], image_ids=[image_id])
    return score_map.scores.argmax(0)


def test_random_draws_every_class_about_equally_often():
    floor = _floor("random")
    floor.set_vocabulary(list("abcd"))
    shares = np.bincount(np.concatenate([_labels(floor, str(n)).ravel() for n in range(20)]), minlength=4) / (20 * 6144)
    # 122,880 draws: six standard deviations are 0.0075.
    assert np.abs(shares - 0.25).max() < 0.0075


def test_random_depends_on_the_seed_and_the_name_of_the_image_only():
    one, two, other = _floor("random"), _floor("random"), _floor("random", seed=1)
    for floor in (one, two, other):
        floor.set_vocabulary(list("abcd"))
    two.predict([IMAGE, IMAGE], image_ids=["x", "y"])
    assert np.array_equal(_labels(one, "P0001"), _labels(two, "P0001"))
    assert not np.array_equal(_labels(one, "P0001"), _labels(one, "P0002"))
    assert not np.array_equal(_labels(one, "P0001"), _labels(other, "P0001"))


def test_most_frequent_answers_what_it_was_told():
    floor = _floor("most-frequent")
    floor.set_vocabulary(list("abc"))
    floor.see_truth([3, 9, 9])
    assert np.array_equal(_labels(floor, "x"), np.ones((1, 1), np.int64))


def test_most_frequent_asks_to_be_told_first():
    floor = _floor("most-frequent")
    floor.set_vocabulary(list("abc"))
    with pytest.raises(AdapterError, match="was not told the class frequencies before image x"):
        floor.predict([IMAGE], image_ids=["x"])


@pytest.mark.parametrize(
    ("options", "word"), [({"checkpoint": Path("w.pth")}, "w.pth"), ({"settings": {"a": "b"}}, "a")]
)
def test_a_floor_has_neither_weights_nor_settings(options, word):
    with pytest.raises(AdapterError, match=word):
        _floor("random", **options)
