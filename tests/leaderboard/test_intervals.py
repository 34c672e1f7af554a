"""Intervals in cells, and marks that rows share because of them."""

import json

import numpy as np
import pytest

from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.leaderboard import counts_beside, leaderboard_json, leaderboard_table
from ovrisisbench.leaderboard.class_views import flags_of_group
from ovrisisbench.leaderboard.csv_export import csv_text
from ovrisisbench.leaderboard.latex import latex_text
from ovrisisbench.leaderboard.markdown import markdown_text
from ovrisisbench.leaderboard.model import MEAN
from ovrisisbench.leaderboard.ranking import ranks
from ovrisisbench.records import CountsTable, read_record_files
from ovrisisbench.statistics import figure_intervals, mean_intervals
from tests.leaderboard.boards import all_datasets
from tests.leaderboard.judged import SCENES, Counts, counts_for, names_of
from tests.leaderboard.test_exports import terminal_text
from tests.records.examples import DATASETS, a_model, a_record


def named(name):
    return a_model(name=name, title=name.upper(), settings={})


def first_row(board):
    return board.sections[0].blocks[0].rows[0]


def test_cells_carry_the_intervals_of_their_counts():
    counts = Counts()
    records = counts.everywhere(0.5)
    row = first_row(leaderboard_table(records, counts_of=counts))
    for record in records:
        expected = figure_intervals(counts(record))["macc"]
        found = row.cells[record.dataset.key, "macc"].interval
        assert found == pytest.approx((100 * expected.low, 100 * expected.high))
    expected = mean_intervals([counts(record) for record in records])["miou"]
    low, high = row.cells[MEAN, "miou"].interval
    assert (low, high) == pytest.approx((100 * expected.low, 100 * expected.high))
    assert low < row.value((MEAN, "miou")) < high


def test_intervals_follow_the_convention_and_the_classes_of_the_table():
    counts = Counts()
    records = counts.everywhere(0.5)
    old = first_row(leaderboard_table(records, counts_of=counts, convention="detectron2-0.6"))
    loveda = next(record for record in records if record.dataset.key == "loveda")
    expected = figure_intervals(counts(loveda), convention="detectron2-0.6")["miou"]
    assert old.cells["loveda", "miou"].interval == pytest.approx((100 * expected.low, 100 * expected.high))
    unseen = first_row(leaderboard_table(records, counts_of=counts, classes="unseen"))
    flags = flags_of_group(loveda, "unseen", "dlrsd")
    expected = figure_intervals(counts(loveda), classes=np.flatnonzero(flags).tolist())["miou"]
    assert unseen.cells["loveda", "miou"].interval == pytest.approx((100 * expected.low, 100 * expected.high))


def test_where_counts_are_missing_there_is_no_interval():
    row = first_row(leaderboard_table(all_datasets(40), counts_of=lambda record: None))
    assert all(cell.interval is None for cell in row.cells.values())


def test_counts_are_found_beside_records_on_disk(tmp_path):
    counts = Counts()
    records = counts.everywhere(0.5)
    counts.write(records, tmp_path)
    reader = counts_beside(read_record_files(tmp_path))
    assert reader(records[0]).digest() == records[0].counts.digest
    next(tmp_path.rglob("*_vdd_*.counts.npz")).unlink()
    row = first_row(leaderboard_table(read_record_files(tmp_path).values(), counts_of=reader))
    assert row.cells["dlrsd", "miou"].interval is not None
    assert row.cells["vdd", "miou"].interval is None
    assert row.cells[MEAN, "miou"].interval is None


def test_counts_of_another_record_are_an_error(tmp_path):
    counts = Counts()
    counts.write(counts.everywhere(0.5), tmp_path)
    one, other = sorted(tmp_path.rglob("*.counts.npz"))[:2]
    one.write_bytes(other.read_bytes())
    files = read_record_files(tmp_path)
    with pytest.raises(RecordError, match=r"one of them was changed|but its record says"):
        leaderboard_table(files.values(), counts_of=counts_beside(files))


def test_intervals_are_in_csv_and_json_and_printed_where_asked_for():
    counts = Counts()
    records = counts.everywhere(0.5)
    quiet = leaderboard_table(records, counts_of=counts)
    shown = leaderboard_table(records, counts_of=counts, show_intervals=True)
    low, high = first_row(quiet).cells["dlrsd", "miou"].interval
    text = f"[{low:.1f}, {high:.1f}]"
    assert f"{low:.4f},{high:.4f}" in csv_text(quiet)
    figures = json.loads(leaderboard_json(quiet))["sections"][0]["blocks"][0]["rows"][0]["figures"]
    assert figures["dlrsd"]["miou"]["interval"] == [low, high]
    for printed in (terminal_text, markdown_text):
        assert text.replace("[", "\\[").replace("]", "\\]") in printed(shown) or text in printed(shown)
        assert text not in printed(quiet).replace("\\", "")
    assert f"{{\\tiny {low:.1f}--{high:.1f}}}" in latex_text(shown)
    assert "\\tiny" not in latex_text(quiet)


def test_no_interval_is_cut_in_a_narrow_terminal():
    counts = Counts()
    text = terminal_text(leaderboard_table(counts.everywhere(0.5), counts_of=counts, show_intervals=True), width=60)
    assert "…" not in text


def noisy(name, skills, *, seed=3):
    """A model with one skill a scene, on LoveDA and nowhere else."""
    tables = [counts_for("loveda", skill, seed=seed) for skill in skills]
    confusions = [table.image_confusions()[index] for index, table in enumerate(tables)]
    images = [
        ImageCounts.from_confusion(table.ids[index], confusions[index], 1.0) for index, table in enumerate(tables)
    ]
    table = CountsTable.from_images(
        images, scenes={image.image_id: image.image_id for image in images}, num_classes=confusions[0].shape[0]
    )
    return a_record(dataset="loveda", table=table, class_names=names_of("loveda"), model=named(name)), table


def test_rows_that_chance_may_have_ordered_share_a_mark():
    drawn = np.random.default_rng(1)
    made = [
        noisy("a", 0.5 + drawn.normal(0, 0.1, SCENES)),
        noisy("b", 0.5 + drawn.normal(0, 0.1, SCENES)),
        noisy("c", 0.3 + drawn.normal(0, 0.02, SCENES)),
        noisy("d", 0.1 + drawn.normal(0, 0.02, SCENES)),
    ]
    tables = {record.counts.digest: table for record, table in made}
    records = [record for record, _ in made]

    def marks(**asked):
        rows = leaderboard_table(records, **asked).sections[0].blocks[0].rows
        return {row.title: row.cells["loveda", "miou"].rank for row in rows}

    exact = marks()
    assert sorted((exact["A"], exact["B"])) == ["best", "second"]
    tied = {"counts_of": lambda record: tables[record.counts.digest], "ties": "interval"}
    assert marks(**tied) == {"A": "best", "B": "best", "C": "second", "D": ""}


def test_a_small_difference_that_every_scene_has_is_no_tie():
    """Intervals of the two overlap widely; that of their paired difference does not hold zero."""
    wide = 0.5 + np.random.default_rng(2).normal(0, 0.15, SCENES)
    made = [noisy("a", wide), noisy("b", wide + 0.02)]
    tables = {record.counts.digest: table for record, table in made}
    board = leaderboard_table(
        [record for record, _ in made], counts_of=lambda record: tables[record.counts.digest], ties="interval"
    )
    found = {row.title: row.cells["loveda", "miou"] for row in board.sections[0].blocks[0].rows}
    assert found["B"].interval[0] < found["A"].value
    assert {title: cell.rank for title, cell in found.items()} == {"B": "best", "A": "second"}


def test_models_of_equal_counts_are_tied_in_every_column():
    counts = Counts()
    first = counts.everywhere(0.5, seed=5, model=named("a"))
    second = [
        record.model_copy(update={"model": named("b")}) for record in counts.everywhere(0.5, seed=5, model=named("a"))
    ]
    third = counts.everywhere(0.35, seed=5, model=named("c"))
    board = leaderboard_table([*first, *second, *third], counts_of=counts, ties="interval")
    for row in board.sections[0].blocks[0].rows:
        for key in (*DATASETS, MEAN):
            assert row.cells[key, "miou"].rank == ("second" if row.title == "C" else "best")


def test_ties_by_interval_need_counts():
    with pytest.raises(RecordError, match="Ties by interval need the per-image counts"):
        leaderboard_table(all_datasets(40), ties="interval")


def test_without_counts_only_equal_figures_share_a_mark():
    records = [*all_datasets(40, model=named("a")), *all_datasets(41, model=named("b"))]
    board = leaderboard_table(records, counts_of=lambda record: None, ties="interval")
    assert {row.title: row.cells["loveda", "miou"].rank for row in board.sections[0].blocks[0].rows} == {
        "B": "best",
        "A": "second",
    }


def test_the_second_mark_goes_to_the_best_that_is_not_tied_with_the_first():
    values = [9.0, 8.9, 8.0, 7.9, 7.0]
    within = 0.15
    marks = ranks(values, lambda one, other: abs(values[one] - values[other]) < within)
    assert marks == ["best", "best", "second", "second", ""]
    assert ranks(values, lambda one, other: True) == ["best"] * 5
    assert ranks([1.0, None], lambda one, other: True) == ["", ""]
    assert np.array_equal(ranks(values), ["best", "second", "", "", ""])
