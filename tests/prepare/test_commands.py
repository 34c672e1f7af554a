"""``ovrisis-bench prepare`` and ``inspect`` as a user meets them."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.prepare import PrepareReport


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
        (["dlrsd", "--from", "nowhere"], "This release has no reader for DLRSD; it reads isaid."),
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
    done = CliRunner().invoke(cli, ["inspect", str(prepared.path), "--verify"], catch_exceptions=False)
    assert done.exit_code == 0
    for text in ("iSAID", "isaid5i-256", "swimming pool", "ignored", "complete", prepared.manifest.digest, "all equal"):
        assert text in done.output


def test_inspect_json_shares_sum_to_one_and_lists_samples(prepared):
    done = CliRunner().invoke(cli, ["inspect", str(prepared.path), "--json"], catch_exceptions=False)
    content = json.loads(done.output)
    assert sum(row["share"] for row in content["classes"]) == pytest.approx(1)
    assert content["digest"] == prepared.manifest.digest
    assert [entry["id"] for entry in content["samples"]] == [sample.id for sample in prepared.samples]
    assert content["creation"]["pillow"]


def test_neither_command_loads_torch(prepared):
    script = (
        "import sys; from ovrisisbench.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    )
    for arguments in (["inspect", str(prepared.path)], ["prepare", "isaid", "--from", "nowhere"]):
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, timeout=300)


def test_help_names_every_option():
    done = CliRunner().invoke(cli, ["prepare", "--help"])
    for option in ("--from", "--to", "--variant", "--workers", "--allow-partial", "--overwrite", "--json"):
        assert option in done.output
