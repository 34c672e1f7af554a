"""``docs/adding-a-model.md`` followed for real: a package of somebody else's, installed, checked, run and ranked."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "adding-a-model.md"
PACKAGE = Path(__file__).parent / "third_party"
FILES = ("pyproject.toml", "crayon/__init__.py", "crayon/official.py", "crayon/adapter.py")


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_the_files_of_the_package(name):
    blocks = re.findall(rf"```(?:toml|python)\n# {re.escape(name)}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert blocks == [(PACKAGE / name).read_text()]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder into which the package is installed as pip does it."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    for name in FILES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text((PACKAGE / name).read_text())
    command = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([sys.executable, *command, "--target", folder, source], check=True, capture_output=True)
    return folder


@pytest.fixture
def bench(site, tmp_path):
    """Run ``ovrisis-bench`` in a process that finds the package."""

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ovrisisbench", *words],
            env={**os.environ, "PYTHONPATH": str(site)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    return run


@pytest.fixture
def weights(tmp_path) -> Path:
    torch.manual_seed(1)
    state = {"colour.weight": torch.randn(8, 3), "colour.bias": torch.randn(8)}
    torch.save({"model": state, "epoch": 3}, tmp_path / "crayon.pth")
    return tmp_path / "crayon.pth"


@pytest.mark.slow
def test_the_package_is_listed_keeps_the_contract_and_knows_its_files(bench, weights):
    assert "crayon-segmentation 1.0" in bench("models", "crayon")
    assert "10 of 10 checks passed for crayon" in bench("check-adapter", "crayon", "--untrained")
    assert "This is Crayon (--model crayon), backbone small (8 channels)" in bench("checkpoint", "crayon.pth")


@pytest.mark.slow
def test_the_package_appears_on_the_leaderboard_and_in_the_table_of_speed(bench, weights, drawn_data):
    words = ["--train-set", "other:crayons", "--checkpoint", "crayon.pth", "--set", "cell=4"]
    told = bench(
        "run", "--model", "crayon", *words, "--datasets", "isaid", "--data", str(drawn_data), "--device", "cpu"
    )
    assert "1 record(s) in results" in told
    shown = bench("leaderboard", "--results", "results", "--json", "--no-published")
    (section,) = json.loads(shown)["sections"]
    block, _ = section["blocks"]  # and floors and ceilings
    assert block["title"] == "Trained on crayons"
    assert [(row["title"], row["ranked"]) for row in block["rows"]] == [("Crayon", True)]
    speed = bench(
        "speed", "--models", "crayon", "--backbone", "small", "--size", "64", "--images", "1", "--device", "cpu"
    )
    assert "Crayon, small" in speed


@pytest.mark.slow
def test_files_of_others_are_refused_before_they_are_loaded(bench, tmp_path, drawn_data):
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    words = ["--train-set", "other:crayons", "--checkpoint", "other.pth", "--data", str(drawn_data)]
    assert "is no whole checkpoint of Crayon" in bench("run", "--model", "crayon", *words, code=2)
