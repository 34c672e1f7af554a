"""``ovrisis-bench prepare`` and ``inspect`` as a user meets them."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.prepare import PrepareReport
from ovrisisbench.prepare.contact_sheet.page import MAX_IMAGES


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "ovrisisbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_json_has_exactly_the_documented_keys(drawn, tmp_path):
    done = command("prepare", "isaid", "--from", drawn, "--to", tmp_path, "--allow-partial", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    content = json.loads(done.stdout)
    assert set(content) == set(PrepareReport.model_fields)
    assert content["partial"] is True
    assert content["layout"] == "publisher"


def test_text_says_layout_found_expected_and_fingerprint(drawn, prepared, tmp_path):
    done = command("prepare", "isaid", "--from", drawn, "--to", tmp_path, "--allow-partial")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in ("publisher: DOTA-v1.0 images", "1,411?", "18,076", "partial", prepared.manifest.digest):
        assert text in done.stdout
    again = command("prepare", "isaid", "--from", drawn, "--to", tmp_path, "--allow-partial")
    assert "already prepared, nothing to do" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dlrsd", "--from", "nowhere", "--variant", "original"], "nowhere does not exist"),
        (["isaid", "--from", "nowhere"], "nowhere does not exist"),
        (["isiad", "--from", "nowhere"], "Did you mean 'isaid'?"),
        (["isaid", "--from", "nowhere", "--variant", "isaid5i"], "iSAID has no variant 'isaid5i'"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(arguments, message):
    done = command("prepare", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_inspect_shows_classes_shares_and_fingerprint(prepared):
    done = CliRunner().invoke(cli, ["inspect", str(prepared.path)], catch_exceptions=False)
    assert done.exit_code == 0
    for text in ("iSAID", "isaid5i-256", "swimming pool", "ignored", "complete", prepared.manifest.digest, "256x256"):
        assert text in done.output
    bars = {line.count("█") for line in done.output.splitlines() if "│" in line}
    assert max(bars) == 24, "the largest class fills its cell"


def test_inspect_json_shares_sum_to_one_and_lists_samples(prepared):
    done = CliRunner().invoke(cli, ["inspect", str(prepared.path), "--json"], catch_exceptions=False)
    content = json.loads(done.output)
    assert sum(row["share"] for row in content["classes"]) == pytest.approx(1)
    assert content["digest"] == prepared.manifest.digest
    assert [entry["id"] for entry in content["samples"]] == [sample.id for sample in prepared.samples]
    assert content["creation"]["pillow"]
    assert content["sizes"] == [{"height": 256, "width": 256, "images": len(prepared)}]
    ships = next(row for row in content["classes"] if row["name"] == "ship")
    assert ships["images"] == sum(0 in sample.histogram for sample in prepared.samples)
    assert 0 < content["ignored_share"] < 1
    assert (content["page"], content["pictures"]) == (None, [])


def test_inspect_writes_a_page_with_as_many_pictures_as_wanted(prepared, tmp_path):
    page = tmp_path / "new" / "page.html"
    arguments = ["inspect", str(prepared.path), "--html", str(page), "--images", "3"]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert f"{page}, 3 pictures" in done.output.replace("\n", "")
    assert page.read_text().count("<figure") == 3
    content = json.loads(CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False).output)
    assert content["page"] == str(page)
    assert len(content["pictures"]) == 3
    assert set(content["pictures"]) <= {sample.id for sample in prepared.samples}


def test_the_number_of_pictures_needs_a_page_and_ends_where_the_page_does(prepared):
    done = CliRunner().invoke(cli, ["inspect", str(prepared.path), "--images", "3"])
    assert done.exit_code == 2
    assert "give --html as well" in done.output
    done = CliRunner().invoke(cli, ["inspect", "--help"])
    assert f"1<=x<={MAX_IMAGES}" in done.output


def test_bars_are_in_proportion_and_never_nothing_for_something():
    from ovrisisbench.cli.inspect import _bar

    assert [_bar(part, 4, ascii_only=False) for part in (0, 0.001, 0.5, 0.55, 1)] == ["", "▏", "██", "██▎", "████"]
    assert [_bar(part, 4, ascii_only=True) for part in (0, 0.001, 0.5, 1)] == ["", "#", "##", "####"]


def test_no_command_on_prepared_data_loads_torch(prepared, tmp_path):
    script = (
        "import sys; from ovrisisbench.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    )
    for arguments in (
        ["inspect", str(prepared.path), "--html", str(tmp_path / "page.html")],
        ["verify", str(prepared.path), "--workers", "1"],
        ["prepare", "isaid", "--from", "nowhere"],
    ):
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, timeout=300)


def test_help_names_every_option():
    done = CliRunner().invoke(cli, ["prepare", "--help"])
    for option in ("--from", "--to", "--variant", "--workers", "--allow-partial", "--overwrite", "--json"):
        assert option in done.output
