"""The audit of the published tables: what it finds in the installed ones, and that it would find more."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.leaderboard.audit import audit_tables
from ovrisisbench.records import read_published
from ovrisisbench.records.published_ablations import read_published_ablations
from ovrisisbench.records.same_rows import read_same_rows
from ovrisisbench.records.speed import read_published_speed

INSTALLED = (read_published(), read_published_ablations(), read_published_speed())


def checks(tables=None, ablations=None, speeds=None):
    given = zip((tables, ablations, speeds), INSTALLED, strict=True)
    return {check.name: check for check in audit_tables(*(own if own is not None else there for own, there in given))}


def changed(tables, name, index, **fields):
    """The tables with other figures in one row; a mapping replaces single entries of a field."""
    found = []
    for table in tables:
        if table.name == name:
            row = table.rows[index]
            new = {
                key: {**getattr(row, key), **value} if isinstance(value, dict) else value
                for key, value in fields.items()
            }
            rows = [*table.rows]
            rows[index] = row.model_copy(update=new)
            table = table.model_copy(update={"rows": tuple(rows)})  # noqa: PLW2901
        found.append(table)
    return tuple(found)


def test_two_printed_means_of_table_1_do_not_follow_from_their_columns():
    check = checks()["means"]
    assert check.compared == 58
    assert [(finding.subject, finding.printed, round(finding.computed, 2)) for finding in check.findings] == [
        ("OVRISISBench, table 1: OVRIS ViT-B trained on DLRSD", 54.51, 54.39),
        ("OVRISISBench, table 1: GSNet ViT-L trained on DLRSD", 44.56, 44.59),
    ]
    assert check.findings[0].sentence == "prints m-mACC 54.51, its columns give 54.39 (+0.12)."


def test_a_changed_column_is_found():
    tables = changed(read_published(), "ovrisisbench-table1", 0, miou={"vdd": 27.25})
    found = checks(tables)["means"].findings
    assert found[0].subject == "OVRISISBench, table 1: SCAN ViT-B trained on DLRSD"
    assert found[0].difference == pytest.approx(-0.125, abs=0.01)


def test_a_mean_iou_above_the_mean_accuracy_is_found():
    assert checks()["bounds"].findings == ()
    tables = changed(read_published(), "ovrisisbench-table1", 3, miou={"uavid": 60.0})
    (finding,) = checks(tables)["bounds"].findings
    assert "Cat-Seg ViT-B trained on DLRSD, uavid" in finding.subject


def test_the_main_table_was_run_at_depth_5_and_3_and_the_ablation_is_over_four_sets():
    first, second = checks()["depth"].findings
    for finding, depth, train_set in ((first, 5, "DLRSD"), (second, 3, "iSAID")):
        assert f"RSKT-Seg ViT-B trained on {train_set}" in finding.subject
        assert f"row of layers = {depth} " in finding.sentence
        assert "over DLRSD, iSAID, Potsdam, Vaihingen" in finding.sentence
        assert "over 4 test sets, not over 8 as it says" in finding.sentence
        assert finding.verdict == "differs"
        assert abs(finding.difference) < 0.01


def test_without_a_fitting_depth_the_audit_says_so():
    index = next(
        index
        for index, row in enumerate(read_published()[0].rows)
        if (row.model, row.backbone, row.train_set) == ("rskt-seg", "ViT-B", "dlrsd")
    )
    tables = changed(read_published(), "ovrisisbench-table1", index, miou={"isaid": 40.0})
    first, _ = checks(tables)["depth"].findings
    assert first.sentence == "no depth in the ablation has the mean of the main table's row."


def test_no_ablation_prints_the_complete_model_as_the_main_table_does():
    check = checks()["complete model"]
    assert check.compared == len(check.findings) == 6
    gaps = {finding.subject.split(",")[1].strip(): round(finding.difference, 2) for finding in check.findings}
    assert gaps["table 6"] == 0.14
    by_train_set = [round(finding.difference, 2) for finding in check.findings if "table 2" in finding.subject]
    assert by_train_set == [-2.64, 0.87]


def test_three_shared_configurations_of_tables_2_and_3_differ_by_one_and_the_same_step():
    check = checks()["ovrisisbench-table2 and ovrisisbench-table3"]
    assert check.compared == len(check.findings) == 4
    step = "differs by mIoU +0.75, fwIoU +0.75, mACC +0.25; 3 configurations differ by exactly this."
    assert [finding.sentence.endswith(step) for finding in check.findings] == [True, True, True, False]


def test_the_best_row_of_table_6_is_a_row_of_table_2_without_rs_fusion():
    (finding,) = checks()["equal rows"].findings
    assert finding.subject == (
        "OVRISISBench, table 2, R-I + DINO + RST trained on iSAID, and OVRISISBench, table 6, CLIP A + DINO F trained "
        "on iSAID"
    )
    assert finding.verdict == "agrees"


def test_printed_rates_follow_from_printed_times():
    check = checks()["speed"]
    assert (check.compared, check.findings) == (6, ())
    (table,) = read_published_speed()
    rows = (table.rows[0].model_copy(update={"fps": 9.0}), *table.rows[1:])
    (finding,) = checks(speeds=(table.model_copy(update={"rows": rows}),))["speed"].findings
    assert finding.computed == pytest.approx(1000 / 145.83)


def test_two_sources_of_one_row_are_laid_side_by_side():
    (finding,) = checks()["sources"].findings
    assert "+3.63 in mIoU of udd5" in finding.sentence
    assert "trained again" in finding.sentence


def test_the_rows_that_are_compared_exist():
    same = read_same_rows()
    tables = {table.name: table for table in read_published_ablations()}
    assert same.main.table in {table.name for table in read_published()}
    for row in same.complete:
        assert any(found.switches == row.switches for found in tables[row.table].rows), row
    for pair in same.pairs:
        first, second = ({column.key for column in tables[name].columns} for name in (pair.first, pair.second))
        assert set(pair.switches) | set(pair.off_in_first) == first
        assert set(pair.switches.values()) | set(pair.off_in_second) == second


def test_no_finding_is_typed():
    sources = (Path(__file__).parents[2] / "ovrisisbench" / "leaderboard").glob("audit*.py")
    text = "".join(path.read_text() for path in sources)
    for figure in ("54.51", "54.39", "44.56", "51.58", "38.93", "39.07", "0.75"):
        assert figure not in text


def test_the_command_prints_findings_and_writes_every_form(tmp_path):
    paths = [tmp_path / f"audit.{suffix}" for suffix in ("csv", "json", "md", "tex")]
    done = CliRunner().invoke(cli, ["audit", *(word for path in paths for word in ("--export", str(path)))])
    assert done.exit_code == 0
    assert "At which depth was the main table run?" in done.stdout
    rows = list(csv.DictReader(paths[0].read_text().splitlines()))
    content = json.loads(paths[1].read_text())
    assert len(rows) == sum(len(check["findings"]) for check in content["checks"]) == 16
    assert json.loads(CliRunner().invoke(cli, ["audit", "--json"]).stdout) == content
    assert paths[3].read_text().startswith("% Needs")
    assert "54.51" in paths[2].read_text()
