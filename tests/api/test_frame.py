"""The leaderboard as a pandas table is its long CSV."""

import csv
import io

import pandas as pd
import pytest

import ovrisisbench as ob
from ovrisisbench.leaderboard.csv_export import long_csv_text
from ovrisisbench.leaderboard.numbers import percent_text


def _as_printed(value: object) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    if pd.isna(value):
        return ""
    return percent_text(value, 4) if isinstance(value, float) else str(value)


def test_a_frame_holds_the_lines_of_the_long_csv():
    board = ob.leaderboard()
    frame = board.to_frame()
    head, *lines = csv.reader(io.StringIO(long_csv_text(board)))
    assert list(frame.columns) == head
    assert len(frame) == len(lines) > 300
    shown = [[_as_printed(value) for value in row] for row in frame.astype(object).itertuples(index=False)]
    assert shown == lines


def test_figures_are_numbers_and_flags_are_flags():
    frame = ob.leaderboard(train_set="dlrsd").to_frame()
    assert frame["value"].dtype == "float64"
    assert frame["ranked"].dtype == "bool"
    best = frame[(frame["rank"] == "best") & (frame["dataset"] == "mean") & (frame["metric"] == "miou")]
    assert set(best["title"]) == {"RSKT-Seg"}
    assert best["printed"].notna().all()


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(ob.OvrisisBenchError, match="nothing to show"):
        ob.leaderboard(tmp_path, published=False)
