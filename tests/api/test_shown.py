"""Results show themselves in notebooks, and a hostile name in them is only text."""

from dataclasses import replace

import pytest

import ovrisisbench as ob
from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.notebook import as_html
from ovrisisbench.records import read_published, write_record
from ovrisisbench.statistics import compare_records
from ovrisisbench.statistics.explanation import explain_records
from tests.records.examples import a_model
from tests.statistics.drawn_records import better_model, drawn_record

HOSTILE = "<script>alert('x')</script> & [b]Net[/b]"


def _records():
    hostile = drawn_record(model=a_model(title=HOSTILE))
    return [hostile, drawn_record(quality=0.7, seed=1, model=better_model())]


def _safe(html: str) -> None:
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "[b]Net[/b]" in html
    assert "color" not in html.replace("colour", "")


def test_a_record_is_short_in_a_list_and_a_table_in_a_notebook():
    (record, _), _ = _records()
    assert len(repr(record)) < 120
    assert "mIoU" in repr(record)
    _safe(record._repr_html_())


def test_a_leaderboard_with_a_hostile_name_is_safe():
    board = leaderboard_table([record for record, _ in _records()])
    _safe(board._repr_html_())
    assert repr(board).startswith("<Leaderboard: ")
    assert len(repr(board)) < 120


def test_a_list_of_records_is_a_table(tmp_path):
    for record, counts in _records():
        write_record(record, counts, tmp_path)
    found = ob.records(tmp_path)
    assert len(found) == 2
    assert found.to_frame().equals(ob.to_frame(found))
    _safe(found._repr_html_())


def test_comparisons_and_explanations_are_safe():
    a, b = _records()
    _safe(compare_records([a, b])._repr_html_())
    explanation = explain_records(a, b)
    _safe(explanation._repr_html_())
    _safe(replace(explanation, rest={}, rest_problem=HOSTILE)._repr_html_())
    assert "<script" in repr(explanation)  # plain text, as everywhere
    assert explanation.conclusion in repr(explanation)


def test_the_audit_and_published_tables_show_themselves():
    assert ob.audit()._repr_html_().count("<table") == 1 + sum(bool(check.findings) for check in ob.audit())
    assert "RSKT-Seg" in leaderboard_table([], read_published())._repr_html_()


@pytest.mark.parametrize(("style", "tag"), [("bold", "b"), ("underline", "u"), ("italic", "i"), ("dim", "small")])
def test_marks_of_the_terminal_are_kept(style, tag):
    from rich.text import Text

    assert f"<{tag}>1 &lt; 2</{tag}>" in as_html(lambda console: console.print(Text("1 < 2", style=style)))
