"""``prepare --all``: what lies under one folder is prepared, and of the rest it says where it comes from."""

import json

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.everything import prepare_all
from ovrisisbench.prepare.preparation import Settings
from tests.drawn import damage, loveda, potsdam, udd5, vdd

PARTIAL = Settings(workers=1, allow_partial=True)


@pytest.fixture
def downloads(tmp_path):
    """Three data sets in three forms among other things."""
    folder = tmp_path / "Downloads"
    loveda.draw_publisher_zips(folder / "LoveDA")
    potsdam.draw_publisher_nested_zip(folder)
    vdd.draw_bundle(folder / "OVSISBench")
    (folder / "broken.zip").write_bytes(b"PK\3\4 and no more")
    (folder / "holiday.jpg").write_bytes(b"no picture")
    return folder


def invoke(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=True)


def test_what_is_there_is_prepared_and_what_is_missing_is_named_with_its_source(downloads, tmp_path):
    report = prepare_all(downloads, tmp_path / "data", settings=PARTIAL)
    assert {outcome.dataset for outcome in report.of("prepared")} == {"loveda", "potsdam", "vdd"}
    (uavid,) = [outcome for outcome in report.of("not found") if outcome.dataset == "uavid"]
    assert "uavid_v1.5_official_release_image.zip" in uavid.downloads[0]
    assert uavid.protocols
    assert any("broken.zip" in archive for archive in report.not_read)
    assert {path.name for path in (tmp_path / "data").glob("*.h5")} == {"loveda.h5", "potsdam.h5", "vdd.h5"}
    assert not list((tmp_path / "data").glob(".*.unpacked"))


def test_a_second_call_changes_nothing(downloads, tmp_path):
    first = prepare_all(downloads, tmp_path / "data", settings=PARTIAL)
    second = prepare_all(downloads, tmp_path / "data", settings=PARTIAL)
    assert [outcome.dataset for outcome in second.of("unchanged")] == [o.dataset for o in first.of("prepared")]


def test_the_layout_that_the_default_variant_is_made_from_is_taken_first(downloads, tmp_path):
    vdd.draw_publisher_folders(downloads)
    report = prepare_all(downloads, tmp_path / "data", settings=PARTIAL)
    (outcome,) = [outcome for outcome in report.of("prepared") if outcome.dataset == "vdd"]
    assert outcome.report.layout == "publisher"
    assert any("bundle lies there as well" in note for note in outcome.report.notes)


def test_one_wrong_data_set_does_not_stop_the_others(downloads, tmp_path):
    udd5.draw_bundle(downloads / "OVSISBench", values=(1, 2, 3, 4, 5))
    done = invoke("prepare", "--all", "--from", downloads, "--to", tmp_path / "data", "--allow-partial")
    assert isinstance(done.exception, DataError)
    assert "every class is one too high" in done.stdout.replace("\n", " ")
    assert {path.name for path in (tmp_path / "data").glob("*.h5")} == {"loveda.h5", "potsdam.h5", "vdd.h5"}


def test_a_check_of_all_writes_nothing(downloads, tmp_path):
    arguments = ("prepare", "--all", "--check", "--from", downloads, "--to", tmp_path / "data", "--allow-partial")
    done = invoke(*arguments, "--workers", 1, "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert {one["dataset"] for one in report["datasets"] if one["status"] == "checked"} == {"loveda", "potsdam", "vdd"}
    assert not (tmp_path / "data").exists()


def test_a_folder_without_any_data_set_is_said_to_be_one(tmp_path):
    (tmp_path / "x.png").write_bytes(b"x")
    done = invoke("prepare", "--all", "--from", tmp_path, "--to", tmp_path / "data")
    assert isinstance(done.exception, DataError)  # which ends the program with 2
    assert "No data set was found" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name one data set, or pass --all"),
        (["isaid", "--all"], "Name one data set, or pass --all"),
        (["--all", "--variant", "512"], "--variant belongs to one data set"),
    ],
)
def test_contradictory_arguments_are_explained(tmp_path, arguments, words):
    done = invoke("prepare", *arguments, "--from", tmp_path)
    assert done.exit_code == 2
    assert words in done.output


def test_differences_are_shown_with_cause_and_remedy(tmp_path):
    potsdam.draw_publisher_folders(tmp_path)
    damage.put_in_place(tmp_path, "*_RGB.tif", lambda path: path.name.replace("RGB", "IRRG"))
    done = invoke(
        "prepare", "potsdam", "--from", tmp_path, "--to", tmp_path / "data", "--allow-partial", "--allow-doubtful"
    )
    assert done.exit_code == 0
    for words in ("doubt", "expected", "likely cause", "what to do", "bands"):
        assert words in done.stdout
