import json

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.errors import RecordError
from ovrisisbench.records import RECORD_SUFFIX, write_record
from tests.leaderboard.boards import scored
from tests.records.examples import a_table


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
