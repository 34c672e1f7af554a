"""The demo goes the whole way with trained weights, says what its figures are worth, and keeps what is there."""

from click.testing import CliRunner

from ovrisisbench.catalog import load_protocol
from ovrisisbench.cli import cli
from ovrisisbench.demo.demonstration import EXPORTS, PROTOCOL
from ovrisisbench.records import read_records


def test_the_demo_makes_everything_and_says_where_it_lies(tmp_path):
    result = CliRunner().invoke(cli, ["demo", "--to", str(tmp_path / "demo"), "--scenes", "1"])
    assert result.exit_code == 0, result.output
    records = read_records(tmp_path / "demo" / "results")
    assert {(record.model.name, record.model.weights) for record in records} == {
        ("most-frequent", "none"),
        ("random", "none"),
        *((model, "checkpoint") for model in ("rskt-seg", "cat-seg", "ovris")),
    }
    assert {record.dataset.key for record in records} == set(load_protocol(PROTOCOL).datasets)
    assert len(records) == 5 * 8
    assert all(record.dataset.partial and not record.is_complete for record in records)
    assert "say nothing about the models of the papers" in " ".join(result.output.split())
    for name in EXPORTS:
        assert (tmp_path / "demo" / name).stat().st_size > 1000
        assert name in result.output.replace("\n", "")

    index = tmp_path / "demo" / "report" / "index.html"
    assert "RSKT-Seg" in index.read_text()
    assert str(index) in result.output.replace("\n", "")

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo" / "data").iterdir()}
    again = CliRunner().invoke(cli, ["demo", "--to", str(tmp_path / "demo"), "--scenes", "1"])
    assert again.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "demo" / "data").iterdir()} == before
