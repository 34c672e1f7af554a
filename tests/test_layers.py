"""Data flows one way: a step imports only from the steps above it, adapters only from their contract."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STEPS = ["catalog", "prepare", "adapter", "evaluate", "train", "records", "statistics", "leaderboard", "report", "cli"]
FILES = [path for folder in ("ovrisisbench", "adapters") for path in sorted((ROOT / folder).rglob("*.py"))]


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("ovrisisbench.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_what_stands_above_it(path):
    parts = path.relative_to(ROOT).parts
    steps = {name.split(".")[1] for name in _imports(path)}
    if parts[0] == "adapters":
        assert not steps & {"evaluate", "train", "prepare", "records", "leaderboard", "cli", "benchmark", "catalog"}
        others = {name.split(".")[2] for name in _imports(path) if name.startswith("ovrisisbench.adapters.")}
        models = {folder.name for folder in (ROOT / "adapters").iterdir() if "INFO" in _text(folder / "__init__.py")}
        assert not others & (models - {parts[1]}), "a model never imports another model"
    elif parts[1] in STEPS:
        below = STEPS[STEPS.index(parts[1]) + 1 :]
        # The command line alone stands above the whole run.
        above = set() if parts[1] == "cli" else {"api", "benchmark", "demo", "mini", "prediction", "scoring"}
        assert not steps & {*below, *above, "adapters"}
    elif parts[1] == "mini":
        assert steps <= {"catalog", "prepare", "mini", "errors", "atomic"}


def test_no_file_is_too_long_to_read():
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in long.items() if lines > 420} == {}


def test_nothing_in_the_harness_names_a_model_or_a_private_path():
    for path in (ROOT / "ovrisisbench").rglob("*.py"):
        text = path.read_text()
        if path.parent.name not in ("demo", "leaderboard"):
            assert "ovrisisbench.adapters.rskt" not in text, path
        assert "/work/" not in text, path
        assert "/home/" not in text or path.name == "provenance.py", path


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
