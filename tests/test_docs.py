"""The documentation cannot rot: help texts, commands, examples and links are checked against the code.

``REWRITE_DOCS=1 pytest tests/test_docs.py`` writes anew what is made from code and cards: the help texts in
``docs/cli.md``, the pages in ``docs/datasets`` and the table of class overlap in ``docs/datasets.md``.
"""

import os
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ovrisisbench.adapter import LoadOptions, find_adapter
from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.catalog import class_overlap, dataset_keys, load_card, load_protocol, protocol_names
from ovrisisbench.catalog.legend import legend_svg
from ovrisisbench.catalog.pages import card_page
from ovrisisbench.cli import COMMANDS, cli

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/datasets/*.md")])
CLI_PAGE = ROOT / "docs" / "cli.md"
CARD_PAGE = ROOT / "docs" / "datasets.md"
CARD_PAGES = ROOT / "docs" / "datasets"
_OVERLAP = re.compile(r"(<!-- overlap -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)
_BLOCK = re.compile(r"(<!-- help: ([\w-]+) -->\n```text\n)(.*?)(```\n)", re.DOTALL)


def _help(name: str) -> str:
    return CliRunner().invoke(cli, [name, "--help"], prog_name="ovrisis-bench", terminal_width=100).output


def _code(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_command_page_holds_the_help_of_every_command():
    text = CLI_PAGE.read_text()
    fresh = _BLOCK.sub(lambda block: block[1] + _help(block[2]) + block[4], text)
    if os.environ.get("REWRITE_DOCS"):
        CLI_PAGE.write_text(fresh)
    assert [name for _, name, _, _ in _BLOCK.findall(text)] == list(COMMANDS)
    assert CLI_PAGE.read_text() == fresh


def _written_anew(page: Path, fresh: str) -> str:
    if os.environ.get("REWRITE_DOCS"):
        page.parent.mkdir(exist_ok=True)
        page.write_text(fresh)
    return page.read_text() if page.exists() else ""


@pytest.mark.parametrize("key", dataset_keys())
def test_the_page_of_a_data_set_is_what_its_card_gives(key):
    # Out of date? REWRITE_DOCS=1 pytest tests/test_docs.py
    for page, fresh in (
        (CARD_PAGES / f"{key}.md", card_page(load_card(key))),
        (CARD_PAGES / f"{key}.svg", legend_svg(load_card(key))),
    ):
        assert _written_anew(page, fresh) == fresh


def test_every_data_set_has_a_page_that_is_linked_and_no_page_is_left_over():
    assert {path.name for path in CARD_PAGES.iterdir()} == {
        f"{key}.{end}" for key in dataset_keys() for end in ("md", "svg")
    }
    linked = re.findall(r"^\| \[([^]]+)\]\(datasets/([\w-]+)\.md\)", CARD_PAGE.read_text(), re.MULTILINE)
    cards = sorted(map(load_card, dataset_keys()), key=lambda card: (card.drawn_after is not None, card.key))
    assert linked == [(card.title, card.key) for card in cards]


def test_the_overview_states_the_class_overlap_that_is_computed():
    lines = ["| trained on | tested on | classes | exact | variant | near | unseen | unseen concepts |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    protocol = load_protocol()
    for train in protocol.train_sets:
        for test in protocol.datasets:
            compared = class_overlap(protocol.vocabulary(train), protocol.vocabulary(test))
            unseen = compared.counts(concepts_only=True)["unseen"]
            names = [load_card(key).title for key in (train, test)]
            cells = [*names, len(compared.classes), *compared.counts().values(), unseen]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    fresh = _OVERLAP.sub(lambda block: block[1] + "\n".join(lines) + "\n" + block[3], CARD_PAGE.read_text())
    assert len(lines) == 18
    assert lines[-1] in fresh
    assert _written_anew(CARD_PAGE, fresh) == fresh


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in _code(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.partition("#")[0].strip()
                if command.startswith("ovrisis-bench ") and "..." not in command:
                    found.append((page.name, command))
    return found


@pytest.mark.parametrize(("page", "line"), _commands())
def test_every_command_in_the_documentation_can_be_parsed(page, line):
    name, *arguments = shlex.split(line)[1:]
    command = cli.get_command(None, name)
    assert command is not None, f"{page}: {line}"
    try:
        context = command.make_context(name, arguments, parent=click.Context(cli, **cli.context_settings))
    except click.ClickException as error:
        pytest.fail(f"{page}: {line}: {error.message}")
    assert context.args == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_example_in_the_readme_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (block,) = _code(ROOT / "README.md", "python")
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out == "[[1 0]\n [1 1]]\n"


def test_the_example_of_timing_models_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = _code(ROOT / "docs" / "speed.md", "python")
    exec(compile(block, "speed.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "CAT-Seg True\n"
    assert list((tmp_path / "results").rglob("*.speed.json"))
    assert (tmp_path / "speed.csv").exists()


def test_the_examples_of_the_python_page_run(monkeypatch, tmp_path, capsys, drawn_data):
    from tests.statistics.drawn_records import better_model, written

    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(drawn_data)
    written(tmp_path / "results")
    written(tmp_path / "results", quality=0.8, seed=1, model=better_model())
    for number, block in enumerate(_code(ROOT / "docs" / "python.md", "python")):
        if number == 0:  # beside the printed tables alone
            (tmp_path / "results").rename(tmp_path / "aside")
        exec(compile(block, "python.md", "exec"), {})
        if number == 0:
            (tmp_path / "aside").rename(tmp_path / "results")
    out = capsys.readouterr().out
    assert out.startswith("<Leaderboard: ")
    assert "RSKT-Seg" in out
    assert "What the counting does not explain is due to: model" in out
    assert "images of" in out


def test_the_python_page_names_the_call_of_every_command():
    rows = re.findall(r"^\| `([\w-]+)` \| `ob\.(\w+)\(", (ROOT / "docs" / "python.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted((name, name.replace("-", "_")) for name in COMMANDS)


def test_the_example_of_exporting_the_leaderboard_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(_code(ROOT / "docs" / "leaderboard.md", "python")[0], "leaderboard.md", "exec"), names)
    assert len(names["frame"]) == len((tmp_path / "table1.long.csv").read_text().splitlines()) - 1


def test_the_example_of_a_weights_file_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = _code(ROOT / "docs" / "weights-files.md", "python")
    exec(compile(block, "weights-files.md", "exec"), {})
    assert capsys.readouterr().out == "other:my-tiles\n"


def test_the_example_of_a_model_keeps_the_contract(tmp_path):
    block = _code(ROOT / "docs" / "adding-a-model.md", "python")[0]
    (tmp_path / "brightness.py").write_text(block)
    found = find_adapter(f"{tmp_path / 'brightness.py'}:Brightness")
    assert all(check.passed for check in check_adapter(found, LoadOptions(backbone="none")))


def test_the_pages_state_the_ids_of_the_protocols():
    for page in (ROOT / "docs" / "datasets.md", ROOT / "CHANGELOG.md"):
        for name in protocol_names():
            assert load_protocol(name).id in page.read_text()


def test_the_example_of_training_runs(monkeypatch, tmp_path, capsys, drawn_data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(drawn_data)
    (block,) = _code(ROOT / "docs" / "training.md", "python")
    exec(compile(block, "training.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "model_final.safetensors\n"


def test_the_example_of_ablations_runs(monkeypatch, tmp_path, capsys, drawn_data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(drawn_data)
    (block,) = _code(ROOT / "docs" / "ablations.md", "python")
    exec(compile(block, "ablations.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "mean 1 47.12\ncat 1 48.74\nseparate 1 47.83\n"


def test_the_example_of_statistics_runs(capsys):
    (block,) = _code(ROOT / "docs" / "statistics.md", "python")
    exec(compile(block, "statistics.md", "exec"), {})
    promised = re.findall(r'"\)  # (.+)', block)
    assert len(promised) == 2
    assert capsys.readouterr().out.splitlines() == promised


def test_the_example_of_predicting_runs(monkeypatch, tmp_path, capsys):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.linear_gradient("L").resize((96, 64)).convert("RGB").save("scene.png")
    (block,) = _code(ROOT / "docs" / "predicting.md", "python")
    exec(compile(block, "predicting.md", "exec"), {})
    assert sum(int(line.split()[1]) for line in capsys.readouterr().out.splitlines()) == 96 * 64
    assert Path("labels.png").exists()


def test_the_examples_of_scoring_run(monkeypatch, tmp_path, capsys, drawn_data):
    import numpy as np

    from ovrisisbench.catalog import load_protocol
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.scoring.value_names import read_names

    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(drawn_data)
    (tmp_path / "my-predictions").mkdir()
    samples = PreparedDataset(drawn_data / "isaid.h5").samples
    for sample in samples:
        np.savez(f"my-predictions/{sample.id}.npz", labels=np.zeros((sample.height, sample.width), np.uint8))
    (block,) = _code(ROOT / "docs" / "scoring.md", "python")
    exec(compile(block.replace('"loveda"', '"isaid"'), "scoring.md", "exec"), {})
    assert f"{{'NPZ, indices': {len(samples)}}}" in capsys.readouterr().out
    Path("names.yaml").write_text(_code(ROOT / "docs" / "scoring.md", "yaml")[0])
    names = read_names(Path("names.yaml"), load_protocol().vocabulary("loveda").class_names)
    assert (names.indices, len(names.colours)) == ({1: 1, 2: 2}, 2)


def test_the_example_of_a_report_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = _code(ROOT / "docs" / "report.md", "python")
    exec(compile(block, "report.md", "exec"), {})
    index, pages = capsys.readouterr().out.split()
    assert (tmp_path / index).is_file()
    assert int(pages) == len(list((tmp_path / "site").rglob("*.html")))
