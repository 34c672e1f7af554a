"""Ablation tables computed from records, held to numpy."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from ovrisisbench.catalog import load_card, load_protocol
from ovrisisbench.errors import RecordError
from ovrisisbench.leaderboard.ablation_export import ablation_json, check_ablation_export, export_ablations
from ovrisisbench.leaderboard.ablation_table import AblationTable, MeasuredRow, Spread, ablation_block
from ovrisisbench.leaderboard.ablation_wording import caption, notes
from ovrisisbench.records.published_ablations import read_published_ablations
from tests.leaderboard.boards import scored, without_truth

FINETUNING, FUSION = (
    next(table for table in read_published_ablations() if table.name == f"ovrisisbench-table{number}")
    for number in (6, 4)
)
SETS = ("dlrsd", "potsdam")
QUALITY = {"mean": {0: (40, 55), 1: (43, 51), 4: (47, 50)}, "separate": {0: (30, 52), 1: (41, 50), 4: (20, 80)}}


def _rows(**missing: str) -> list[MeasuredRow]:
    rows = [
        MeasuredRow(
            switches={"fusion": name},
            seeds={
                seed: [scored(quality, dataset=key) for key, quality in zip(SETS, pair, strict=True)]
                for seed, pair in seeds.items()
            },
        )
        for name, seeds in QUALITY.items()
    ]
    return [rows[0], MeasuredRow(switches={"fusion": "cat"}, seeds={}, missing="needs a file"), rows[1]]


def _block(rows, *, train_set: str = "dlrsd", published=FUSION, reference=None):
    return ablation_block(
        rows,
        published=published,
        train_set=train_set,
        rules=load_protocol(),
        test_sets=SETS,
        reference={"fusion": "separate"} if reference is None else reference,
    )


def _table(*blocks) -> AblationTable:
    return AblationTable(
        name="fusion",
        title="Fusion of the cost maps",
        model="RSKT-Seg",
        backbone="vit-b",
        training="trained with lr=0.001_x",
        published=FUSION,
        blocks=blocks,
        notes=("A note with 50% & more.",),
    )


def _by_hand(name: str, metric: str) -> np.ndarray:
    records = [
        [getattr(scored(quality, dataset="dlrsd").metrics, metric) for quality in pair]
        for pair in QUALITY[name].values()
    ]
    return 100 * np.array(records).mean(axis=1)


@pytest.mark.parametrize("metric", ["miou", "fwiou", "macc"])
def test_figures_are_mean_and_sample_deviation_of_the_mean_over_test_sets(metric: str) -> None:
    line = _block(_rows()).lines[0]
    assert line.seeds == (0, 1, 4)
    expected = _by_hand("mean", metric)
    np.testing.assert_allclose(line.figures[metric].values, expected, rtol=1e-12)
    np.testing.assert_allclose(line.figures[metric].mean, np.mean(expected), rtol=1e-12)
    np.testing.assert_allclose(line.figures[metric].deviation, np.std(expected, ddof=1), rtol=1e-12)


@pytest.mark.parametrize("metric", ["miou", "fwiou", "macc"])
def test_differences_are_taken_seed_by_seed(metric: str) -> None:
    block = _block(_rows())
    expected = _by_hand("mean", metric) - _by_hand("separate", metric)
    found = block.lines[0].differences[metric]
    np.testing.assert_allclose(found.values, expected, atol=1e-12)
    np.testing.assert_allclose((found.mean, found.deviation), (expected.mean(), expected.std(ddof=1)), atol=1e-12)
    assert block.lines[2].is_reference
    assert block.lines[2].differences == {}


def test_a_single_seed_has_no_deviation() -> None:
    assert Spread((1.5,)).deviation is None


def test_the_printed_figures_stand_beside_ours_and_are_not_changed_by_them() -> None:
    lines = _block(_rows()).lines
    assert [line.printed["miou"] for line in lines] == [47.12, 48.74, 47.83]
    assert lines[1].figures == {}


def test_a_metric_without_a_value_on_one_test_set_is_left_out_and_not_guessed() -> None:
    rows = _rows()
    undefined = without_truth(80, dataset="dlrsd").model_copy(
        update={"metrics": scored(40, dataset="dlrsd").metrics.model_copy(update={"miou": None})}
    )
    rows[0] = MeasuredRow(switches={"fusion": "mean"}, seeds={0: [undefined, scored(50, dataset="potsdam")]})
    line = _block(rows).lines[0]
    assert set(line.figures) == {"fwiou", "macc"}
    assert "–" in _markdown_cells(_table(_block(rows)))[0]


def _markdown_cells(table: AblationTable) -> list[list[str]]:
    from ovrisisbench.leaderboard.ablation_export import _markdown

    lines = [line for line in _markdown([table]).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_figures_of_another_training_set_are_said_to_be_so() -> None:
    rows = [MeasuredRow(switches={"clip": "A", "dino": "F"}, seeds={0: [scored(50, dataset=key) for key in SETS]})]
    block = _block(rows, train_set="mini-dlrsd", published=FINETUNING, reference={"clip": "A", "dino": "F"})
    assert block.printed_train_set == "isaid"
    assert block.lines[0].printed["miou"] == 39.07
    words = notes(AblationTable(**{**_fields(_table(block)), "published": FINETUNING}))
    assert "Beside Mini-DLRSD stand the paper's figures of iSAID; it has no others." in words


def _fields(table: AblationTable) -> dict[str, object]:
    return {name: getattr(table, name) for name in AblationTable.__dataclass_fields__}


def test_the_caption_keeps_ours_and_the_papers_apart() -> None:
    words = caption(_table(_block(_rows())))
    for part in (
        "mean ± standard deviation over 3 seed(s)",
        "protocol ovrisisbench-v1 (id 125d31fc), convention detectron2",
        f"tested on DLRSD and {load_card('potsdam').title}, protocol",
        "trained with lr=0.001_x",
        "the two do not compete",
    ):
        assert part in words
    drawn = caption(_table(_block(_rows(), train_set="mini-dlrsd")))
    assert "data of the mini world, not the paper's" in drawn


def test_markdown_holds_the_rounded_figures_and_the_reason_of_a_row_that_was_not_run(tmp_path) -> None:
    table = _table(_block(_rows()))
    cells = _markdown_cells(table)
    mean, deviation = np.mean(_by_hand("mean", "miou")), np.std(_by_hand("mean", "miou"), ddof=1)
    assert cells[0][:4] == ["DLRSD", "mean", f"{mean:.2f} ± {deviation:.2f}", "47.12"]
    assert cells[1][:4] == ["", "cat", "not run", "48.74"]
    assert cells[2][-1] == "reference"
    export_ablations([table], tmp_path / "table.md")
    assert "row(s) 2 not run: needs a file." in (tmp_path / "table.md").read_text()


def test_csv_and_json_hold_every_metric_unrounded() -> None:
    table = _table(_block(_rows()))
    from ovrisisbench.leaderboard.ablation_export import _csv

    rows = list(csv.DictReader(io.StringIO(_csv([table]))))
    assert [row["switches"] for row in rows] == ["fusion=mean", "fusion=cat", "fusion=separate"]
    assert float(rows[0]["fwiou_sd"]) == pytest.approx(np.std(_by_hand("mean", "fwiou"), ddof=1), abs=1e-4)
    assert rows[1]["miou_mean"] == ""
    assert rows[0]["printed_macc"] == "66.56"
    content = json.loads(ablation_json([table]))
    row = content["tables"][0]["blocks"][0]["rows"][0]
    assert row["seeds"] == [0, 1, 4]
    np.testing.assert_allclose(row["figures"]["macc"]["by_seed"], _by_hand("mean", "macc"))
    assert content["tables"][0]["blocks"][0]["rows"][1]["not_run"] == "needs a file"


def test_latex_escapes_words_and_sets_signs_and_marks(tmp_path) -> None:
    block = _block([*_rows()])
    export_ablations([_table(block)], tmp_path / "table.tex")
    text = (tmp_path / "table.tex").read_text()
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    assert r"lr=0.001\_x" in text
    assert r"A note with 50\% \& more." in text
    assert not set(text) & set("±Δ✓")
    assert all(line.count("&") == 8 for line in text.splitlines() if line.strip().startswith(("DLRSD &", "& cat")))


def test_an_unknown_suffix_is_refused_before_any_work(tmp_path) -> None:
    with pytest.raises(
        RecordError, match=r"no export to '.xlsx' files; use one of the suffixes .csv, .json, .md, .tex"
    ):
        check_ablation_export(tmp_path / "table.xlsx")
