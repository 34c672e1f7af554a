"""Floors and ceilings of every table, against figures by hand."""

import numpy as np
import pytest

from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.leaderboard.model import MEAN
from tests.leaderboard.boards import a_published, all_datasets, scored
from tests.leaderboard.judged import judged, judged_everywhere, names_of
from tests.records.examples import DATASETS, a_floor, a_model, a_record, a_seen, a_table


def bounds_of(section):
    return {row.label: row for block in section.blocks for row in block.rows if row.computed}


def test_every_measured_table_has_computed_floors_and_an_oracle():
    section = leaderboard_table(judged_everywhere(0.5)).sections[0]
    block = section.blocks[-1]
    assert block.title == "Floors and ceilings"
    assert [(row.label, row.kind) for row in block.rows] == [
        ("Random class (computed)", "floor"),
        ("Most frequent class (computed)", "floor"),
        ("Oracle (computed)", "ceiling"),
        ("Oracle with the classes of DLRSD (computed)", "ceiling"),
    ]
    assert not any(row.ranked for row in block.rows)
    assert any("marked computed were not run" in note for note in section.notes)


def test_computed_floors_are_those_of_the_labelled_pixels():
    record = judged("loveda", 0.5)
    bounds = bounds_of(leaderboard_table([record]).sections[0])
    truth = record.confusion_array.sum(axis=1)
    total, size = truth.sum(), len(truth)
    there = truth > 0
    by_hand = np.mean((truth / size)[there] / (truth + total / size - truth / size)[there])
    random = bounds["Random class (computed)"]
    assert random.value(("loveda", "miou")) == pytest.approx(100 * by_hand)
    assert random.value(("loveda", "macc")) == pytest.approx(100 / size)
    most = bounds["Most frequent class (computed)"]
    assert most.value(("loveda", "miou")) == pytest.approx(100 * truth.max() / total / there.sum())
    oracle = bounds["Oracle (computed)"].cells["loveda", "miou"]
    assert (oracle.value, oracle.classes, oracle.num_classes) == (100, size - 1, size)


def test_the_oracle_with_the_classes_of_a_training_set_names_no_other():
    record = judged("potsdam", 0.5)
    ceiling = bounds_of(leaderboard_table([record]).sections[0])["Oracle with the classes of DLRSD (computed)"]
    seen = [name.casefold() in ("building", "tree", "car") for name in names_of("potsdam")]
    truth = record.confusion_array.sum(axis=1)
    rest, largest = truth[np.logical_not(seen)].sum(), truth[seen].max()
    assert sum(seen) == 3
    expected = (2 + largest / (largest + rest)) / len(seen)
    assert ceiling.value(("potsdam", "miou")) == pytest.approx(100 * expected)


def test_a_floor_that_was_run_on_everything_is_not_computed_as_well():
    labels = bounds_of(leaderboard_table([*all_datasets(40), *all_datasets(40, model=a_floor())]).sections[0])
    assert "Most frequent class (computed)" not in labels
    assert "Random class (computed)" in labels
    partly = bounds_of(leaderboard_table([*all_datasets(40), scored(40, model=a_floor())]).sections[0])
    assert "Most frequent class (computed)" in partly


def test_floors_on_a_part_of_the_images_are_marked_as_such():
    part = scored(40, data={"images_total": 10, "limited": True})
    row = bounds_of(leaderboard_table([part]).sections[0])["Random class (computed)"]
    assert row.cells["loveda", "miou"].incomplete


def test_the_floors_of_a_mean_run_over_all_data_sets():
    bounds = bounds_of(leaderboard_table(judged_everywhere(0.5)).sections[0])
    for row in bounds.values():
        assert row.value((MEAN, "miou")) == pytest.approx(np.mean([row.value((key, "miou")) for key in DATASETS]))


def test_training_sets_that_are_spared_other_images_have_floors_of_their_own():
    heldout = {"name": "ovrisisbench-v1-heldout", "id": "545ff852"}
    records = [
        judged("loveda", 0.5, seed=seed, model=a_model(train_set=key), protocol=heldout, data=left_out(key, digit))
        for seed, (key, digit) in enumerate([("dlrsd", "a"), ("isaid", "b")])
    ]
    bounds = bounds_of(leaderboard_table(records).sections[0])
    for record, title in zip(records, ("DLRSD", "iSAID"), strict=True):
        row = bounds[f"Most frequent class (computed, tested after {title})"]
        truth = record.confusion_array.sum(axis=1)
        share = truth.max() / truth.sum() / (truth > 0).sum()
        assert row.value(("loveda", "miou")) == pytest.approx(100 * share)


def left_out(train_set, digit):
    return {"seen_in_training": a_seen(train_set=train_set, of=13, left_out=True, ids_digest=digit * 64)}


def test_the_old_convention_counts_every_class_that_the_random_floor_names():
    records = [judged("loveda", 0.5)]
    new, old = (
        bounds_of(leaderboard_table(records, convention=convention).sections[0])["Random class (computed)"]
        for convention in ("detectron2", "detectron2-0.6")
    )
    ratio = new.value(("loveda", "miou")) / old.value(("loveda", "miou"))
    assert ratio == pytest.approx(8 / 7)
    assert old.value(("loveda", "macc")) == new.value(("loveda", "macc"))


def test_a_published_table_gets_its_floors_from_the_measured_data():
    board = leaderboard_table(all_datasets(40), [a_published()])
    measured, printed = board.sections
    floor = bounds_of(printed)["Random class (computed)"]
    assert floor.value(("vdd", "miou")) == bounds_of(measured)["Random class (computed)"].value(("vdd", "miou"))
    assert printed.notes[-1].endswith("of the measured records of the protocol that the source claims.")


def test_without_measured_data_a_published_table_says_why_it_has_no_floors():
    (printed,) = leaderboard_table([], [a_published()]).sections
    assert not bounds_of(printed)
    assert printed.notes[-1].startswith("Floors cannot be shown: the source does not say")


def test_a_model_at_or_under_a_floor_is_named_with_what_to_look_for():
    shifted = a_table([np.array([[0, 0, 100], [100, 0, 0], [0, 100, 0]])])
    section = leaderboard_table([a_record(table=shifted)]).sections[0]
    (note,) = [note for note in section.notes if note.startswith("At or under a floor")]
    assert "RSKT-Seg vit-b on LoveDA" in note
    assert "shifted labels" in note
    good = leaderboard_table([scored(80)]).sections[0]
    assert not any(note.startswith("At or under a floor") for note in good.notes)
