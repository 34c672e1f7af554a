"""Measured beside published: counterparts, differences, verdicts."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.errors import RecordError
from ovrisisbench.leaderboard.conformance import conformance
from ovrisisbench.leaderboard.findings_export import conformance_tables, export_conformance
from ovrisisbench.leaderboard.model import MEAN
from ovrisisbench.records import PublishedTable, read_published
from tests.leaderboard.boards import all_datasets
from tests.leaderboard.judged import Counts
from tests.records.examples import DATASETS, a_model


def a_print(miou, *, datasets=DATASETS, **changes):
    """A published table with one row of the example model."""
    row = {"model": "rskt-seg", "title": "RSKT-Seg", "venue": "A 2026", "task": "OVRISIS", "backbone": "ViT-B"}
    row |= {"train_set": "dlrsd", "miou": dict(miou), "macc": {}, **changes}
    return PublishedTable(
        name="a-table",
        source={"title": "A paper", "citation": "A. Author", "url": "https://example.org"},
        claims_protocol="ovrisisbench-v1",
        datasets=datasets,
        rows=[row],
    )


@pytest.fixture(scope="module")
def measured():
    counts = Counts()
    return counts.everywhere(0.5), counts


def test_every_figure_with_a_counterpart_is_compared():
    found = conformance(all_datasets(40), read_published())
    assert {one.table for one in found} == {"ovrisisbench-table1"}
    assert len(found) == 18
    one = next(one for one in found if (one.dataset, one.metric) == ("potsdam", "macc"))
    assert (one.published, one.measured, one.verdict) == (50.71, 71.5, "no interval")
    assert one.difference == pytest.approx(20.79)
    mean = next(one for one in found if (one.dataset, one.metric) == (MEAN, "miou"))
    assert mean.published == pytest.approx(43.90, abs=0.005)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": a_model(train_set="isaid", backbone="vit-h")},
        {"model": a_model(name="mine")},
        {"model": a_model(weights="untrained", checkpoint=None, seed=0)},
        {"protocol": {"name": "ovrisisbench-v1-heldout", "id": "545ff852"}},
    ],
)
def test_other_models_training_sets_backbones_and_protocols_have_no_counterpart(changes):
    assert conformance(all_datasets(40, **changes), read_published()) == ()


def test_the_verdict_is_whether_the_interval_holds_the_published_figure(measured):
    records, counts = measured
    plain = {
        one.dataset: one for one in conformance(records, [a_print(dict.fromkeys(DATASETS, 50.0))], counts_of=counts)
    }
    low, high = plain["vdd"].interval
    printed = {"dlrsd": 90.0, "isaid": 1.0, "vdd": round((low + high) / 2, 2)}
    found = {one.dataset: one for one in conformance(records, [a_print(printed)], counts_of=counts)}
    assert set(found) == set(printed)
    assert (found["vdd"].verdict, found["vdd"].outside_by) == ("within", 0)
    assert found["dlrsd"].verdict == "below"
    assert found["dlrsd"].outside_by == pytest.approx(90 - plain["dlrsd"].interval[1])
    assert found["isaid"].verdict == "above"
    assert found["isaid"].outside_by == pytest.approx(plain["isaid"].interval[0] - 1)


def test_a_printed_figure_within_rounding_of_the_end_of_an_interval_is_within_it(measured):
    records, counts = measured
    (one, *_) = conformance(records, [a_print({"vdd": 50.0})], counts_of=counts)
    end = round(one.interval[1], 2)
    (again, *_) = conformance(records, [a_print({"vdd": end})], counts_of=counts)
    assert again.verdict == "within"


def test_a_part_of_the_data_gets_no_verdict():
    part = all_datasets(40, data={"images_total": 9, "limited": True})
    assert {one.verdict for one in conformance(part, read_published())} == {"incomplete"}


def test_the_printed_forms_hold_every_figure(measured, tmp_path):
    records, counts = measured
    found = conformance(records, read_published(), counts_of=counts)
    (table,) = conformance_tables(found)
    assert len(table.rows) == len(found) == 18
    assert "RSKT-Seg vit-b trained on DLRSD, measured under ovrisisbench-v1 (id 125d31fc)" in table.title
    assert table.notes[0].startswith("18 figures: ")
    export_conformance(found, tmp_path / "c.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text())))
    assert [row["verdict"] for row in rows] == [one.verdict for one in found]
    assert float(rows[0]["low"]) == pytest.approx(found[0].interval[0], abs=5e-5)


def invoke(*arguments):
    return CliRunner().invoke(cli, ["conformance", *map(str, arguments)])


def test_the_command_reads_records_and_counts_and_writes_every_form(measured, tmp_path):
    records, counts = measured
    counts.write(records, tmp_path / "results")
    paths = [tmp_path / f"c.{suffix}" for suffix in ("csv", "json", "md", "tex")]
    done = invoke("--results", tmp_path / "results", *(word for path in paths for word in ("--export", path)), "--json")
    assert done.exit_code == 0
    figures = json.loads(done.stdout)["comparisons"]
    assert json.loads(paths[1].read_text())["comparisons"] == figures
    assert all(one["interval"] for one in figures)
    assert r"\begin{table*}" in paths[3].read_text()
    assert "| Data set" in paths[2].read_text()
    old = json.loads(invoke("--results", tmp_path / "results", "--convention", "detectron2-0.6", "--json").stdout)
    assert {one["convention"] for one in old["comparisons"]} == {"detectron2-0.6"}


def test_records_without_counterparts_are_an_error_that_says_what_is_published(tmp_path):
    counts = Counts()
    counts.write(counts.everywhere(0.5, model=a_model(name="mine")), tmp_path)
    done = invoke("--results", tmp_path)
    assert isinstance(done.exception, RecordError)
    assert "no record with a published counterpart; published are OVRISISBench, table 1" in str(done.exception)


def test_an_unknown_suffix_is_refused_before_any_work(tmp_path):
    done = invoke("--results", tmp_path / "nowhere", "--export", tmp_path / "c.html")
    assert "there is no export to '.html' files" in str(done.exception)
