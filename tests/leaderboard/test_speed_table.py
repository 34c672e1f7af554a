"""The table of speed: what compares, what does not, and every form of it."""

import csv
import io
import json
import shutil
import subprocess

import pytest
from rich.console import Console

from ovrisisbench.errors import RecordError
from ovrisisbench.leaderboard.speed_export import check_speed_export, export_speed, print_speed, speed_json
from ovrisisbench.leaderboard.speed_table import COLUMNS, speed_table
from ovrisisbench.records.speed import Milliseconds, read_published_speed
from tests.records.test_speed import a_speed


def _named(title: str, mean: float, **changes):
    model = a_speed().model.model_copy(update={"title": title, "name": title.lower()})
    return a_speed(model=model, image_ms=Milliseconds.of([mean]), **changes)


def test_the_fastest_comes_first_and_published_rows_stand_apart():
    measured, printed = speed_table([_named("Slow", 90), _named("Fast", 30)], read_published_speed())
    assert [row.title for row in measured.rows] == ["Fast", "Slow"]
    assert measured.title == "Measured on Example CPU, 1 thread, float32, 640x640, 8 classes"
    assert printed.source == "published"
    assert "another machine" in printed.title
    assert any("do not compare with measured ones" in note for note in printed.notes)


def test_only_one_task_on_one_device_compares():
    task = a_speed().task.model_copy(update={"classes": 17})
    sections = speed_table([_named("A", 1), _named("A", 2, device="Other CPU"), _named("A", 3, task=task)])
    assert len(sections) == 3


def test_figures_are_in_the_units_of_their_columns():
    ((row,),) = (section.rows for section in speed_table([a_speed()]))
    figures = dict(zip(COLUMNS, row.figures, strict=True))
    assert figures == {
        "mean ms": 125.0,
        "median ms": 115.0,
        "p95 ms": pytest.approx(162.5),
        "images/s": 8.0,
        "params M": 154.0,
        "trainable M": 25.0,
        "frozen M": 129.0,
        "GFLOPs": 200.0,
        "peak MiB": 900.0,
    }
    assert row.qualifier == "whole image"


def test_notes_say_how_it_was_measured():
    (section,) = speed_table([a_speed()])
    text = " ".join(section.notes)
    for said in (
        "4 images after 1 to warm up",
        "Text is encoded before: CAT-Seg 500 ms",
        "native_layer_norm",
        "random",
    ):
        assert said in text


def test_a_model_without_counts_has_blanks():
    ((row,),) = (section.rows for section in speed_table([a_speed(parameters=None, peak_memory_mib=None)]))
    assert row.figures[4:7] == (None, None, None)
    assert row.figures[8] is None


@pytest.fixture
def sections():
    return speed_table([_named("A & B_1", 90), _named("[red]Fast", 30)], read_published_speed())


def test_csv_has_one_line_a_row(sections, tmp_path):
    export_speed(sections, tmp_path / "t.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert len(rows) == 8
    assert rows[0]["model"] == "[red]Fast"
    assert rows[0]["mean_ms"] == "30.0000"
    assert rows[0]["images_per_s"] == "33.3333"
    assert rows[-1]["source"] == "published"
    assert rows[-1]["median_ms"] == ""


def test_markdown_and_latex_escape_names(sections, tmp_path):
    for suffix in (".md", ".tex"):
        export_speed(sections, tmp_path / f"t{suffix}")
    assert "A &amp; B\\_1" in (tmp_path / "t.md").read_text()
    assert r"A \& B\_1" in (tmp_path / "t.tex").read_text()


def test_json_holds_unrounded_figures(sections):
    content = json.loads(speed_json(sections))
    assert content["sections"][0]["rows"][0]["figures"]["images/s"] == pytest.approx(1000 / 30)


def test_the_terminal_shows_names_as_they_are(sections):
    console = Console(width=200, record=True, file=io.StringIO())
    print_speed(sections, console)
    text = console.export_text()
    assert "[red]Fast" in text
    assert "Published: OVRISISBench, table 7" in text


def test_other_suffixes_are_refused_before_any_work(tmp_path):
    with pytest.raises(RecordError, match=r"there is no export to '\.xlsx' files; use one of the suffixes \.csv"):
        check_speed_export(tmp_path / "t.xlsx")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles(sections, tmp_path):
    export_speed(sections, tmp_path / "t.tex")
    document = (
        r"\documentclass{article}\usepackage{booktabs}\usepackage{graphicx}\begin{document}\input{t}\end{document}"
    )
    (tmp_path / "main.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-2000:]
