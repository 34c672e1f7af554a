"""Published tables -> rows, as printed."""

from __future__ import annotations

from ovrisisbench.leaderboard.model import METRICS, Cell, CellKey, Metric, Row
from ovrisisbench.records import PublishedRow

__all__ = ["printed_row"]


def printed_row(published: PublishedRow) -> Row:
    """Turn one line of a published table into a row; its means are computed later, from the columns."""
    columns = {"miou": published.miou, "macc": published.macc}
    cells: dict[CellKey, Cell] = {
        (key, metric): Cell(value=value) for metric in METRICS for key, value in columns[metric].items()
    }
    means: dict[Metric, float | None] = {"miou": published.printed_mean_miou, "macc": published.printed_mean_macc}
    return Row(
        model=published.model,
        title=published.title,
        qualifiers=(published.venue,),
        backbone=published.backbone,
        kind="published",
        cells=cells,
        printed_means={metric: mean for metric, mean in means.items() if mean is not None},
    )
