"""Words and figures that every printed form of the table shares."""

from __future__ import annotations

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.model import MEAN, METRIC_NAMES, CellKey, Classes, Metric, Row, Section
from ovrisisbench.leaderboard.numbers import percent_text

__all__ = [
    "MISSING",
    "UNDEFINED",
    "block_caption",
    "class_words",
    "column_title",
    "figure",
    "interval_text",
    "legend",
    "metric_title",
]

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


def interval_text(row: Row, key: CellKey) -> str:
    """Return the interval of a cell, such as ``[33.1, 35.9]``; nothing where there is none."""
    cell = row.cells.get(key)
    if cell is None or cell.interval is None:
        return ""
    low, high = (percent_text(end, 1) for end in cell.interval)
    return f"[{low}, {high}]"


def class_words(classes: Classes, train_set: str | None) -> str:
    """Return which classes the means run over.

    Example:
        >>> class_words("unseen", "dlrsd"), class_words("all", None)
        ('classes unseen in DLRSD', 'all classes')
    """
    trained = "" if train_set is None else training_set_title(train_set)
    return {
        "all": "all classes",
        "seen": f"classes seen in {trained}",
        "near": f"classes near those of {trained}",
        "unseen": f"classes unseen in {trained}",
    }[classes]


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
    rule += f", {class_words(section.classes, section.classes_of)}" if section.classes != "all" else ""
    return (
        f"mIoU and mACC in percent{rule}; best and second best are marked among the rows of one training set "
        "and one size of backbone."
    )
