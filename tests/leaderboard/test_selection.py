"""What a table shows of what there is, and by which convention."""

import pytest

from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate import compute_metrics
from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.records import read_published
from tests.leaderboard.boards import all_datasets
from tests.leaderboard.judged import judged, judged_everywhere
from tests.records.examples import a_floor, a_model


def shown(board):
    return {
        (row.title, row.backbone, block.train_set)
        for section in board.sections
        for block in section.blocks
        for row in block.rows
        if not row.computed
    }


free = a_model(title="Free", name="free", kind="training-free", train_set=None)
RECORDS = [
    *all_datasets(40),
    *all_datasets(50, model=a_model(backbone="vit-l")),
    *all_datasets(60, model=a_model(train_set="isaid")),
    *all_datasets(30, model=free),
    *all_datasets(10, model=a_floor()),
]
FLOOR = ("Most frequent class", "none", None)


def test_one_training_set_keeps_its_models_and_the_floors():
    board = leaderboard_table(RECORDS, train_set="isaid")
    assert shown(board) == {("RSKT-Seg", "vit-b", "isaid"), FLOOR}


def test_none_keeps_what_was_not_trained():
    assert shown(leaderboard_table(RECORDS, train_set="none")) == {("Free", "vit-b", None), FLOOR}


@pytest.mark.parametrize("wanted", ["vit-l", "ViT-L", "L", "l"])
def test_a_backbone_is_named_by_its_name_or_its_size(wanted):
    assert shown(leaderboard_table(RECORDS, backbone=wanted)) == {("RSKT-Seg", "vit-l", "dlrsd"), FLOOR}


def test_published_rows_are_picked_alike():
    board = leaderboard_table([], read_published(), train_set="isaid", backbone="L")
    assert {train_set for _, _, train_set in shown(board)} == {"isaid"}
    assert {backbone for _, backbone, _ in shown(board)} == {"ViT-L", "ConvNeXt-L"}
    assert [section.name for section in board.sections] == ["ovrisisbench-table1"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"train_set": "dlrds"}, r"training set 'dlrds'; there are dlrsd, isaid, none\. Did you mean 'dlrsd'"),
        ({"backbone": "vit-x"}, r"backbone 'vit-x'; there are vit-b, vit-l\."),
    ],
)
def test_what_no_row_has_is_an_error_that_lists_what_there_is(asked, words):
    with pytest.raises(RecordError, match=words):
        leaderboard_table(RECORDS, **asked)


def test_another_convention_is_computed_from_the_counts():
    records = judged_everywhere(0.5)
    section = leaderboard_table(records, convention="detectron2-0.6").sections[0]
    (row,) = section.blocks[0].rows
    for record in records:
        metrics = compute_metrics(record.confusion_array, "detectron2-0.6")
        cell = row.cells[record.dataset.key, "miou"]
        assert cell.value == pytest.approx(100 * metrics.miou)
        assert cell.classes == metrics.classes_in_miou
    assert section.convention == "detectron2-0.6"
    assert section.name == "ovrisisbench-v1-125d31fc-detectron2-0.6"
    before = leaderboard_table(records).sections[0].blocks[0].rows[0]
    assert row.value(("loveda", "miou")) < before.value(("loveda", "miou"))
    assert row.value(("vdd", "miou")) == before.value(("vdd", "miou"))


def test_records_of_two_conventions_compare_once_they_are_computed_by_one():
    other = a_model(title="Other", name="other")
    records = [judged("loveda", 0.5), judged("loveda", 0.6, model=other, convention="detectron2-0.6")]
    assert leaderboard_table(records).sections[0].mixed == {"loveda"}
    assert leaderboard_table(records, convention="detectron2").sections[0].mixed == frozenset()
