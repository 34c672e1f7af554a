"""Seen, near and unseen classes in the table, against means by hand."""

import csv
import io
import json

import numpy as np
import pytest

from ovrisisbench.catalog.class_groups import class_groups
from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.evaluate import compute_metrics
from ovrisisbench.leaderboard import leaderboard_json, leaderboard_table
from ovrisisbench.leaderboard.csv_export import long_csv_text
from ovrisisbench.leaderboard.group_tables import section_tables
from ovrisisbench.leaderboard.model import MEAN
from tests.leaderboard.judged import judged, judged_everywhere, names_of
from tests.records.examples import DATASETS, a_floor, a_model, a_seen


def by_hand(record, group, train_set="dlrsd"):
    """Mean of the per-class IoU that a record holds."""
    groups = class_groups(
        train_set, names_of(record.dataset.key), dataset=record.dataset.key, variant=record.dataset.variant
    ).groups
    values = [iou for iou, found in zip(record.metrics.iou, groups, strict=True) if found == group and iou is not None]
    return 100 * np.mean(values) if values else None


def test_each_group_is_the_mean_of_its_classes_and_harmonic_joins_seen_and_unseen():
    records = judged_everywhere(0.5)
    (row,) = (row for row in leaderboard_table(records).sections[0].blocks[0].rows)
    means = {}
    for group in ("seen", "near", "unseen"):
        values = {record.dataset.key: by_hand(record, group) for record in records}
        for key, value in values.items():
            assert (key, group) in row.groups if value is not None else (key, group) not in row.groups
            if value is not None:
                assert row.groups[key, group].value == pytest.approx(value)
        means[group] = np.mean([value for value in values.values() if value is not None])
        assert row.groups[MEAN, group].value == pytest.approx(means[group])
    expected = 2 / (1 / means["seen"] + 1 / means["unseen"])
    assert row.groups[MEAN, "harmonic"].value == pytest.approx(expected)
    assert ("dlrsd", "unseen") not in row.groups


def test_a_mean_of_a_group_needs_every_data_set():
    (row,) = leaderboard_table(judged_everywhere(0.5)[1:]).sections[0].blocks[0].rows
    assert ("loveda", "seen") in row.groups
    assert not any(key == MEAN for key, _ in row.groups)


def test_only_models_of_known_training_sets_have_groups():
    records = [
        judged("loveda", 0.5, model=a_model(train_set="coco-stuff")),
        judged("loveda", 0.1, model=a_floor()),
    ]
    section = leaderboard_table(records).sections[0]
    assert not any(row.groups for block in section.blocks for row in block.rows)
    assert section_tables(section) == ()


def test_a_table_of_unseen_classes_is_one_for_each_training_set():
    records = [*judged_everywhere(0.5), *judged_everywhere(0.4, model=a_model(train_set="isaid"))]
    dlrsd, isaid = leaderboard_table(records, classes="unseen").sections
    assert dlrsd.title.endswith("classes unseen in DLRSD")
    assert (dlrsd.classes, dlrsd.classes_of, isaid.classes_of) == ("unseen", "dlrsd", "isaid")
    assert "dlrsd" not in dlrsd.datasets
    assert any(note.endswith("without a column: DLRSD.") for note in dlrsd.notes)
    (row,) = dlrsd.blocks[0].rows
    for record in records[1:8]:
        assert row.value((record.dataset.key, "miou")) == pytest.approx(by_hand(record, "unseen"))
    assert row.value((MEAN, "miou")) == pytest.approx(np.mean([by_hand(record, "unseen") for record in records[1:8]]))


def test_published_rows_print_no_classes_and_are_left_out():
    from ovrisisbench.records import read_published

    board = leaderboard_table(judged_everywhere(0.5), read_published(), classes="seen")
    assert [section.source for section in board.sections] == ["measured"]


def test_floors_of_a_group_are_floors_of_its_classes():
    record = judged("loveda", 0.5)
    section = leaderboard_table([record], classes="near").sections[0]
    floor = next(row for row in section.blocks[-1].rows if row.model == "random")
    truth = record.confusion_array.sum(axis=1)
    groups = class_groups("dlrsd", names_of("loveda"), dataset="loveda", variant=record.dataset.variant).of("near")
    whole = compute_metrics(np.repeat(truth[:, None], len(truth), axis=1))
    expected = np.mean([iou for iou, flag in zip(whole.iou, groups, strict=True) if flag])
    assert floor.value(("loveda", "miou")) == pytest.approx(100 * expected)


def test_another_table_of_judgements_moves_classes_between_groups():
    nothing = OverlapTable(format=1, name="mine", title="Nothing is near", judgements=())
    (row,) = leaderboard_table([judged("loveda", 0.5)], overlap=nothing).sections[0].blocks[0].rows
    assert ("loveda", "near") not in row.groups
    section = leaderboard_table([judged("loveda", 0.5)], overlap=nothing).sections[0]
    assert any("table of judgements mine" in note for note in section.notes)
    assert any(note.startswith("Nobody has judged LoveDA against DLRSD") for note in section.notes)


def test_images_seen_in_training_stand_below_the_table_once():
    seen = a_seen(of=12, by_split=0, exact=2, near=1)
    models = [a_model(), a_model(name="other", title="Other")]
    records = [judged("loveda", 0.5, model=model, data={"seen_in_training": seen}) for model in models]
    section = leaderboard_table(records).sections[0]
    (entry,) = section.contamination
    assert (entry.train_set, entry.dataset, entry.images, entry.of, entry.left_out) == ("dlrsd", "loveda", 3, 12, False)
    table = section_tables(section)[-1]
    assert table.title == "Test images seen in training, and tested like all others"
    assert table.rows[0][: 1 + DATASETS.index("loveda") + 1][-1] == "3/12"
    assert table.notes == ("LoveDA after training on DLRSD: 2 with equal pixels, 1 alike.",)
    assert leaderboard_table(records, classes="seen").sections[0].contamination == (entry,)
    content = json.loads(leaderboard_json(leaderboard_table(records)))
    assert content["sections"][0]["seen_in_training"][0]["images"] == 3


def test_images_of_a_data_set_without_a_column_are_not_listed():
    seen = a_seen(of=12, by_split=12, exact=0, near=0)
    records = [judged(key, 0.5, data={"seen_in_training": seen}) for key in ("dlrsd", "loveda")]
    (section,) = leaderboard_table(records, classes="unseen").sections
    assert [entry.dataset for entry in section.contamination] == ["loveda"]


def test_an_incomplete_training_set_gives_a_lower_bound():
    seen = a_seen(of=12, by_split=4, exact=0, near=0, train_partial=True, left_out=True)
    data = {"seen_in_training": seen, "images_total": 8, "images": 8}
    section = leaderboard_table([judged("loveda", 0.5, images=8, data=data)]).sections[0]
    table = section_tables(section)[-1]
    assert "≥4/12" in table.rows[0]
    assert table.title.endswith("left out of the test")


def test_the_long_csv_holds_groups_beside_figures():
    board = leaderboard_table(judged_everywhere(0.5))
    rows = list(csv.DictReader(io.StringIO(long_csv_text(board))))
    first = [row for row in rows if row["kind"] == "trained"]
    assert {row["metric"] for row in first} == {
        "miou",
        "macc",
        "miou_seen",
        "miou_near",
        "miou_unseen",
        "miou_harmonic",
    }
    (row,) = board.sections[0].blocks[0].rows
    found = next(line for line in first if (line["dataset"], line["metric"]) == ("vdd", "miou_unseen"))
    assert float(found["value"]) == pytest.approx(row.groups["vdd", "unseen"].value, abs=5e-5)
    assert int(found["num_classes"]) == row.groups["vdd", "unseen"].num_classes
