"""The leaderboard as a file: the suffix says the form."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ovrisisbench.leaderboard.csv_export import csv_text, long_csv_text
from ovrisisbench.leaderboard.forms import Forms
from ovrisisbench.leaderboard.json_export import leaderboard_json
from ovrisisbench.leaderboard.latex import latex_text
from ovrisisbench.leaderboard.markdown import markdown_text
from ovrisisbench.leaderboard.model import Leaderboard

__all__ = ["check_export", "export_leaderboard"]

_FORMS: Final = Forms[Leaderboard](
    {
        ".long.csv": long_csv_text,
        ".csv": csv_text,
        ".json": leaderboard_json,
        ".md": markdown_text,
        ".tex": latex_text,
    }
)


def check_export(path: Path) -> None:
    """Refuse a file name whose suffix no export goes with; call it before long work.

    Raises:
        RecordError: lists the suffixes there are.
    """
    _FORMS.check(path)


def export_leaderboard(board: Leaderboard, path: Path) -> None:
    """Write a leaderboard as CSV, JSON, Markdown or LaTeX; the same records give the same bytes.

    ``.csv`` has one line a row, ``.long.csv`` one line a figure.

    Raises:
        RecordError: no export goes with the suffix of ``path``.
        OvrisisBenchError: the file cannot be written.
    """
    _FORMS.write(board, path)
