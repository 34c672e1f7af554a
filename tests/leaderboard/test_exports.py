"""Every export against a golden file, and what must hold for any table."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ovrisisbench.errors import RecordError
from ovrisisbench.leaderboard import (
    check_export,
    export_leaderboard,
    leaderboard_json,
    leaderboard_table,
    print_leaderboard,
)
from ovrisisbench.leaderboard.audit import audit_tables
from ovrisisbench.leaderboard.conformance import conformance
from ovrisisbench.leaderboard.csv_export import csv_text, long_csv_text
from ovrisisbench.leaderboard.findings_export import export_audit, export_conformance
from ovrisisbench.leaderboard.latex import escape_latex, latex_text
from ovrisisbench.leaderboard.markdown import escape_markdown, markdown_text
from ovrisisbench.records import read_published
from ovrisisbench.records.published_ablations import read_published_ablations
from ovrisisbench.records.speed import read_published_speed
from tests.leaderboard.boards import NASTY, a_board, all_datasets
from tests.leaderboard.judged import Counts
from tests.records.examples import a_model, a_seen

GOLDEN = Path(__file__).parent / "golden"

PREAMBLE = r"""\usepackage[a4paper,margin=2cm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{booktabs}
\usepackage{graphicx}
"""


def terminal_text(board, width=100):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_leaderboard(board, console)
    return console.file.getvalue()


FORMS = {
    "csv": csv_text,
    "long.csv": long_csv_text,
    "json": leaderboard_json,
    "md": markdown_text,
    "tex": latex_text,
    "txt": terminal_text,
}


@pytest.mark.parametrize("suffix", FORMS)
def test_exports_are_those_of_the_golden_files(suffix):
    """After a meant change: ``REWRITE_GOLDEN=1 pytest tests/leaderboard``, then read the difference."""
    path = GOLDEN / f"board.{suffix}"
    text = FORMS[suffix](a_board())
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", FORMS)
def test_exports_are_the_same_twice(suffix):
    assert FORMS[suffix](a_board()) == FORMS[suffix](a_board())


@pytest.mark.parametrize("suffix", [".csv", ".long.csv", ".json", ".md", ".tex", ".TEX"])
def test_the_suffix_of_a_file_says_its_form(tmp_path, suffix):
    path = tmp_path / f"new folder/board{suffix}"
    export_leaderboard(a_board(), path)
    assert path.read_text(encoding="utf-8") == FORMS[suffix[1:].lower()](a_board())


@pytest.mark.parametrize("name", ["board.html", "board", "board.csv.gz"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name):
    with pytest.raises(RecordError, match=r"use one of the suffixes \.long\.csv, \.csv, \.json, \.md, \.tex\."):
        check_export(tmp_path / name)
    with pytest.raises(RecordError):
        export_leaderboard(a_board(), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_csv_holds_every_row_with_its_identity():
    rows = list(csv.DictReader(io.StringIO(csv_text(a_board()))))
    board = a_board()
    assert len(rows) == sum(len(block.rows) for section in board.sections for block in section.blocks)
    first = rows[0]
    assert (first["source"], first["protocol_id"], first["train_set"]) == ("measured", "125d31fc", "dlrsd")
    assert first["dlrsd_macc"] == "70.0000"
    assert [row["title"] for row in rows if row["model"] == "other"] == [NASTY, NASTY]
    limited = next(row for row in rows if row["incomplete"])
    assert (limited["incomplete"], limited["mean_miou"], limited["vdd_miou"]) == ("dlrsd; isaid; loveda", "", "")
    assert any(row["fewer_classes"] == "vdd_miou 1/2; vdd_macc 1/2" for row in rows)
    assert {row["protocol_id"] for row in rows if row["source"] == "published"} == {""}


def test_csv_reads_into_pandas_with_numbers():
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(io.StringIO(csv_text(leaderboard_table([], read_published()))))
    assert len(frame) == 29
    assert frame["mean_miou"].max() == 46.21


def test_json_holds_unrounded_figures_and_the_printed_means():
    content = json.loads(leaderboard_json(leaderboard_table([], read_published())))
    row = next(
        row
        for block in content["sections"][0]["blocks"]
        for row in block["rows"]
        if (row["title"], row["backbone"], block["train_set"]) == ("OVRIS", "ViT-B", "dlrsd")
    )
    assert row["figures"]["mean"]["macc"]["value"] == 54.38875
    assert row["printed_means"] == {"macc": 54.51, "miou": 39.57}
    assert content["sections"][0]["protocol"] == {"name": "ovrisisbench-v1", "id": None}


def test_names_are_printed_as_they_are_in_the_terminal():
    board = leaderboard_table(all_datasets(40, model=a_model(title="[red]x[/red] [link=y] :smile:")))
    assert "[red]x[/red] [link=y]" in terminal_text(board)
    assert ":smile:" in terminal_text(board)


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_no_figure_is_cut_in_a_narrow_terminal(width):
    text = terminal_text(leaderboard_table([], read_published()), width=width)
    assert "…" not in text
    assert text.split().count("43.90") == 1
    assert text.split().count("Vaihingen") == 5


def test_names_are_escaped_in_markdown():
    assert escape_markdown("a\n| b") == r"a \| b"
    text = markdown_text(a_board())
    assert "<b>" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace(r"\|", "").count("|") for line in table[:4]}) == 1


def unescaped_specials(text):
    plain = text
    for word in ("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"):
        plain = plain.replace(f"\\{word}{{}}", "")
    for character in "&%$#_{}":
        plain = plain.replace(f"\\{character}", "")
    return [character for character in plain if character in "\\&%$#_{}~^<>|\n"]


@given(st.text(alphabet=st.characters(exclude_characters="†‡")))
def test_no_special_character_reaches_latex(text):
    assert unescaped_specials(escape_latex(text)) == []


@given(st.text())
def test_markdown_names_stay_in_their_cell(text):
    escaped = escape_markdown(text)
    assert "\n" not in escaped
    assert "|" not in escaped.replace(r"\|", "")
    assert "<" not in escaped


def test_latex_names_protocol_id_and_convention():
    text = latex_text(a_board())
    assert r"\label{tab:ovrisisbench-v1-125d31fc}" in text
    assert "protocol ovrisisbench-v1 (id 125d31fc), metric convention detectron2" in text
    assert text.count(r"\caption{Results under protocol") == 2
    assert text.count(r"\caption{Published: A paper, table 1.") == 1
    labels = re.findall(r"\\label{(.*?)}", text)
    assert len(set(labels)) == len(labels) == text.count(r"\begin{table*}")


def every_kind_of_table(folder):
    """Write every LaTeX export that there is; return the names of the files."""
    counts = Counts()
    records = counts.everywhere(0.5, data={"seen_in_training": a_seen(of=12, exact=2)})
    records += counts.everywhere(0.4, model=a_model(name="cat-seg", title=NASTY))
    everything = {"counts_of": counts, "show_intervals": True, "ties": "interval"}
    boards = {
        "board": a_board(),
        "published": leaderboard_table([], read_published()),
        "intervals": leaderboard_table(records, read_published(), **everything),
        "old": leaderboard_table(records, convention="detectron2-0.6"),
        "unseen": leaderboard_table(records, classes="unseen"),
    }
    for name, board in boards.items():
        export_leaderboard(board, folder / f"{name}.tex")
    export_conformance(conformance(records, read_published(), counts_of=counts), folder / "conformance.tex")
    checks = audit_tables(read_published(), read_published_ablations(), read_published_speed())
    export_audit(checks, folder / "audit.tex")
    return [*boards, "conformance", "audit"]


def test_the_marks_of_latex_are_the_best_and_the_second_best():
    text = latex_text(leaderboard_table([*all_datasets(40), *all_datasets(50, model=a_model(name="o", title="Other"))]))
    table = text.partition(r"\end{table*}")[0]
    lines = {line.split(" & ")[0].strip(): line for line in table.splitlines() if " & " in line}
    assert lines["Other"].count(r"\textbf{") == 18
    assert lines["RSKT-Seg"].count(r"\underline{") == 18


def test_a_name_that_begins_with_a_bracket_or_a_star_stays_a_name():
    for title in ("[1ex] Model", "*Model"):
        text = latex_text(leaderboard_table([*all_datasets(40, model=a_model(title=title))]))
        assert f"    {{}}{title} & " in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("document_class", ["article", "[twocolumn]article"])
def test_every_kind_of_table_compiles_and_fits_its_page(tmp_path, document_class):
    names = every_kind_of_table(tmp_path)
    options, _, name = document_class.rpartition("]")
    inputs = "\n\\clearpage\n".join(f"\\input{{{name}.tex}}" for name in names)
    (tmp_path / "document.tex").write_text(
        f"\\documentclass{options + ']' if options else ''}{{{name}}}\n{PREAMBLE}\\begin{{document}}\n{inputs}\n"
        "\\end{document}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert "Float too large" not in done.stdout
