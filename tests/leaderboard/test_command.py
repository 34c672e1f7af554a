import json

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.errors import RecordError
from ovrisisbench.records import RECORD_SUFFIX, write_record
from tests.leaderboard.boards import scored
from tests.leaderboard.judged import Counts
from tests.records.examples import a_model, a_table


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["leaderboard", *arguments])


@pytest.fixture
def results(tmp_path):
    table = a_table([[[40, 60], [0, 100]]])
    write_record(scored(40), table, tmp_path / "results")
    return tmp_path / "results"


def test_without_records_it_shows_published_figures_and_says_so(invoke):
    done = invoke()
    assert done.exit_code == 0
    assert "Published: OVRISISBench, table 1" in done.stdout
    assert done.stderr == "results holds no fitting measured record; all rows are published figures.\n"


def test_measured_records_come_first(invoke, results):
    done = invoke()
    assert done.exit_code == 0
    assert done.stderr == ""
    assert done.stdout.startswith("Measured under ovrisisbench-v1 (id 125d31fc)")
    assert done.stdout.index("Measured under") < done.stdout.index("Published:")


def test_published_figures_can_be_left_out(invoke, results):
    done = invoke("--no-published")
    assert "Measured under" in done.stdout
    assert "Published" not in done.stdout


def test_json_is_all_that_is_printed(invoke, results):
    done = invoke("--json", "--export", "board.csv")
    content = json.loads(done.stdout)
    assert [section["source"] for section in content["sections"]] == ["measured", "published", "published"]
    assert done.stderr == "Wrote board.csv\n"


def test_exports_are_written_by_suffix(invoke, results, tmp_path):
    done = invoke("--export", "board.tex", "--export", "board.md")
    assert done.exit_code == 0
    assert "Measured under" in done.stdout
    assert r"\begin{table*}" in (tmp_path / "board.tex").read_text()
    assert "## Measured under" in (tmp_path / "board.md").read_text()


def test_an_unknown_suffix_is_refused_before_anything_is_written(invoke, results, tmp_path):
    done = invoke("--export", "board.csv", "--export", "board.html")
    assert isinstance(done.exception, RecordError)
    assert not (tmp_path / "board.csv").exists()


def test_one_protocol_can_be_picked(invoke, results):
    assert "Measured under" in invoke("--protocol", "125d31fc").stdout
    held_out = invoke("--protocol", "ovrisisbench-v1-heldout")
    assert isinstance(held_out.exception, RecordError)
    assert "results holds no fitting record" in str(held_out.exception)


def test_a_named_folder_must_exist(invoke):
    done = invoke("--results", "elsewhere")
    assert isinstance(done.exception, RecordError)
    assert "There is no results folder elsewhere" in str(done.exception)


def test_one_bad_record_fails_the_table(invoke, results):
    (results / f"bad{RECORD_SUFFIX}").write_text("{}")
    done = invoke()
    assert isinstance(done.exception, RecordError)
    assert f"bad{RECORD_SUFFIX}" in str(done.exception)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Records of two training sets on real class names, with their counts."""
    folder, counts = tmp_path_factory.mktemp("trained"), Counts()
    for train_set, skill in (("dlrsd", 0.6), ("isaid", 0.5)):
        counts.write(counts.everywhere(skill, model=a_model(train_set=train_set)), folder)
    return folder


def shown(done):
    content = json.loads(done.stdout)
    return [
        (section["name"], row["title"], block["train_set"])
        for section in content["sections"]
        for block in section["blocks"]
        for row in block["rows"]
        if row["kind"] == "trained"
    ]


def test_filters_and_classes_reach_the_table(invoke, trained):
    done = invoke("--results", str(trained), "--classes", "unseen", "--train-set", "isaid", "--backbone", "B", "--json")
    assert shown(done) == [("ovrisisbench-v1-125d31fc-isaid-unseen", "RSKT-Seg", "isaid")]
    old = json.loads(invoke("--results", str(trained), "--convention", "detectron2-0.6", "--json").stdout)
    assert old["sections"][0]["convention"] == "detectron2-0.6"


def test_a_replaced_table_of_judgements_is_used_and_named(invoke, trained, tmp_path):
    (tmp_path / "mine.yaml").write_text("format: 1\nname: mine\ntitle: Nothing is near\njudgements: []\n")
    done = invoke("--results", str(trained), "--overlap-table", "mine.yaml", "--no-published")
    assert "table of judgements mine, id" in " ".join(done.stdout.split())
    assert "near  " not in done.stdout


def test_intervals_are_computed_for_csv_and_json_and_printed_on_request(invoke, trained):
    def intervals(*arguments):
        content = json.loads(invoke("--results", str(trained), "--no-published", "--json", *arguments).stdout)
        row = content["sections"][0]["blocks"][0]["rows"][0]
        return row["figures"]["vdd"]["miou"]["interval"]

    low, high = intervals()
    assert low < high
    assert intervals("--no-intervals") is None
    text = f"[{low:.1f}, {high:.1f}]"
    assert text in invoke("--results", str(trained), "--intervals").stdout
    assert text not in invoke("--results", str(trained)).stdout


def test_a_group_of_classes_that_nobody_can_tell_is_an_error(invoke, tmp_path):
    write_record(
        scored(40, model=a_model(train_set="coco-stuff")), a_table([[[40, 60], [0, 100]]]), tmp_path / "results"
    )
    done = invoke("--classes", "seen")
    assert isinstance(done.exception, RecordError)
    assert "no measured model was trained on a set whose classes are known" in str(done.exception)
