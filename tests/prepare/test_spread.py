"""The few samples that stand for all: even over splits and data, every class where there is room."""

import numpy as np
import pytest

from ovrisisbench.prepare.contact_sheet.spread import spread_samples
from tests.drawn.prepared_file import drawn_sample


def sample(number, labels=(0,), split="train"):
    label_map = np.repeat(np.array(labels, np.uint8), 4)[None]
    return drawn_sample(f"i{number}", np.zeros((*label_map.shape, 3), np.uint8), label_map, split=split)


def splits(samples, chosen):
    found = [samples[index].split for index in chosen]
    return {split: found.count(split) for split in set(found)}


def test_all_are_chosen_where_there_are_no_more():
    samples = [sample(number) for number in range(5)]
    assert spread_samples(samples, 24) == [0, 1, 2, 3, 4]
    assert spread_samples(samples, 5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ({"train": 100, "val": 100}, 24, {"train": 12, "val": 12}),
        ({"train": 1000, "val": 50}, 24, {"train": 12, "val": 12}),
        ({"train": 100, "val": 3}, 24, {"train": 21, "val": 3}),
        ({"a": 2, "b": 50, "c": 50}, 24, {"a": 2, "b": 11, "c": 11}),
        ({"a": 9, "b": 9, "c": 9}, 2, {"b": 1, "c": 1}),
    ],
)
def test_splits_share_the_pictures_as_evenly_as_their_sizes_allow(sizes, count, expected):
    samples = [sample(number, split=split) for split, size in sizes.items() for number in range(size)]
    chosen = spread_samples(samples, count)
    assert splits(samples, chosen) == expected
    assert chosen == sorted(set(chosen))


def test_within_a_split_they_lie_at_even_distances():
    samples = [sample(number) for number in range(1000)]
    chosen = spread_samples(samples, 10)
    assert chosen == [50, 150, 250, 350, 450, 550, 650, 750, 850, 950]


def test_a_rare_class_is_shown_by_the_sample_with_the_largest_share_of_it():
    samples = [sample(number) for number in range(100)]
    samples[7] = sample(7, (0, 0, 0, 3))
    samples[8] = sample(8, (0, 3, 3, 3))
    samples[9] = sample(9, (0, 0, 3, 3))
    chosen = spread_samples(samples, 10)
    assert 8 in chosen
    assert len(chosen) == 10
    assert not {7, 9} & set(chosen)


def test_every_class_is_shown_where_there_is_room_for_it():
    samples = [sample(number) for number in range(300)]
    for label in range(1, 18):
        samples[label * 3] = sample(label * 3, (0, label))
    chosen = spread_samples(samples, 24)
    assert {label for index in chosen for label in samples[index].histogram} == set(range(18))
    assert len(chosen) == 24


def test_with_too_little_room_the_rarest_classes_come_first():
    samples = [sample(number, (0, 1)) for number in range(50)]
    samples += [sample(50, (0, 2)), sample(51, (0, 2)), sample(52, (0, 3))]
    assert spread_samples(samples, 1) == [52]
    assert spread_samples(samples, 2)[1] == 52
    chosen = spread_samples(samples, 3)
    assert {label for index in chosen for label in samples[index].histogram} == {0, 1, 2, 3}


def test_one_sample_with_several_rare_classes_takes_one_place():
    samples = [sample(number) for number in range(100)]
    samples[40] = sample(40, (1, 2, 3, 4))
    chosen = spread_samples(samples, 5)
    assert 40 in chosen
    assert len(chosen) == 5


def test_ignored_pixels_are_no_class():
    samples = [sample(number) for number in range(100)]
    samples[3] = sample(3, (255,))
    assert spread_samples(samples, 2) == [25, 75]
