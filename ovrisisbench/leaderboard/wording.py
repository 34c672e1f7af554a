"""Words and figures that every printed form of the table shares."""

from __future__ import annotations

from ovrisisbench.leaderboard.model import MEAN, METRIC_NAMES, CellKey, Metric, Row, Section
from ovrisisbench.leaderboard.numbers import percent_text

__all__ = ["MISSING", "UNDEFINED", "block_caption", "column_title", "figure", "legend", "metric_title"]

MISSING = "–"
"""Not measured, or not printed."""

UNDEFINED = "n/a"
"""Measured, but no class has a defined value."""


def figure(row: Row, key: CellKey) -> str:
    """Return a cell as text: two decimals and its marks, without its rank."""
    cell = row.cells.get(key)
    if cell is None:
        return MISSING
    text = UNDEFINED if cell.value is None else percent_text(cell.value)
    return text + ("*" if cell.lacks_classes else "") + ("†" if cell.incomplete else "")


def column_title(section: Section, dataset: str) -> str:
    """Return the head of the two columns of a data set, or of the means."""
    if dataset == MEAN:
        return "Mean"
    return section.datasets[dataset] + ("‡" if dataset in section.mixed else "")


def metric_title(dataset: str, metric: Metric) -> str:
    """Return ``mIoU``, or ``m-mIoU`` for a mean over data sets."""
    return ("m-" if dataset == MEAN else "") + METRIC_NAMES[metric]


def block_caption(title: str, family: str) -> str:
    """Return what a block is about.

    Example:
        >>> block_caption("Trained on DLRSD", "B"), block_caption("Trained on DLRSD", "RN50")
        ('Trained on DLRSD, backbones of size B', 'Trained on DLRSD, RN50')
    """
    if not family:
        return title
    return f"{title}, backbones of size {family}" if len(family) == 1 else f"{title}, {family}"


def legend(section: Section) -> str:
    """Return the sentence that says what the figures are."""
    rule = f", metric convention {section.convention}" if section.convention else ""
    return (
        f"mIoU and mACC in percent{rule}; best and second best are marked among the rows of one training set "
        "and one size of backbone."
    )
