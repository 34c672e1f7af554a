"""The leaderboard as a pandas table: the long form, one line for each figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovrisisbench.leaderboard.csv_export import LONG_COLUMNS, long_rows
from ovrisisbench.leaderboard.model import Leaderboard

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["leaderboard_frame"]


def leaderboard_frame(board: Leaderboard) -> pd.DataFrame:
    """Return one line for each figure, with the columns of the ``.long.csv`` export.

    Figures are percentages, unrounded, NaN where undefined; ``ranked``, ``computed`` and ``incomplete`` are bool,
    ``classes_averaged`` and ``num_classes`` nullable integers.
    """
    import pandas as pd

    frame = pd.DataFrame(list(long_rows(board)), columns=list(LONG_COLUMNS))
    figures = ("value", "low", "high", "printed")
    counts = ("classes_averaged", "num_classes")
    flags = ("ranked", "computed", "incomplete")
    kinds = (("float64", figures), ("Int64", counts), ("bool", flags))
    return frame.astype({name: kind for kind, names in kinds for name in names})
