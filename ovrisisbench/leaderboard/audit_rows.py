"""Rows of published tables in one form, so that an audit can compare them across tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.model import METRICS
from ovrisisbench.leaderboard.numbers import mean_of, percent_text
from ovrisisbench.records import PublishedTable
from ovrisisbench.records.published_ablations import PublishedAblation, SwitchValue
from ovrisisbench.records.same_rows import SameRows

__all__ = [
    "TOLERANCE",
    "AuditRow",
    "ablation_rows",
    "differences",
    "figures_text",
    "main_rows",
    "mean_over",
    "same_figures",
    "signed",
    "signed_all",
    "trained_on",
]

TOLERANCE: Final = 0.01 + 1e-9
"""Two figures of two decimals, one of them a mean of such figures, may differ by so much and still agree."""

_NAMES: Final = {"miou": "mIoU", "fwiou": "fwIoU", "macc": "mACC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One printed row."""

    table: str
    """Name of its table."""
    words: str
    """Table and row, as a sentence names them."""
    train_set: str | None
    test_sets: tuple[str, ...]
    """Whose mean the figures are, as the source says."""
    switches: Mapping[str, SwitchValue]
    figures: Mapping[str, float]
    """Metric -> percent; of a main table the computed mean over all columns."""
    columns: Mapping[str, Mapping[str, float]]
    """Metric -> data set -> percent; empty for ablations, which print means alone."""

    @property
    def figures_text(self) -> str:
        """Such as ``mIoU 50.00, mACC 60.00``."""
        return figures_text(self.figures)


def main_rows(tables: Sequence[PublishedTable], same: SameRows) -> list[AuditRow]:
    """Return the rows of the main table's own model, one for each training set."""
    found = []
    for table in tables:
        for row in table.rows if table.name == same.main.table else ():
            if (row.model, row.backbone) != (same.main.model, same.main.backbone):
                continue
            columns: dict[str, dict[str, float]] = {metric: getattr(row, metric) for metric in METRICS}
            found.append(
                AuditRow(
                    table=table.name,
                    words=f"{table.source.title}, {row.title} {row.backbone}{trained_on(row.train_set)}",
                    train_set=row.train_set,
                    test_sets=table.datasets,
                    switches={},
                    figures={metric: mean_of(list(values.values())) for metric, values in columns.items()},
                    columns=columns,
                )
            )
    return found


def ablation_rows(table: PublishedAblation) -> list[AuditRow]:
    """Return the rows of an ablation."""
    rows = []
    for row in table.rows:
        values = [(column.heading, row.switches[column.key]) for column in table.columns]
        on = [heading if value is True else f"{heading} {value}" for heading, value in values if value is not False]
        metrics: Mapping[str, float | None] = {"miou": row.miou, "fwiou": row.fwiou, "macc": row.macc}
        rows.append(
            AuditRow(
                table=table.name,
                words=f"{table.source.title}, {' + '.join(on) or 'none'}{trained_on(row.train_set)}",
                train_set=row.train_set,
                test_sets=table.test_sets,
                switches=row.switches,
                figures={metric: value for metric, value in metrics.items() if value is not None},
                columns={},
            )
        )
    return rows


def mean_over(main: AuditRow, test_sets: Sequence[str]) -> dict[str, float]:
    """Return the means of a main row over some of its columns, by metric."""
    return {metric: mean_of([values[key] for key in test_sets]) for metric, values in main.columns.items()}


def differences(row: AuditRow, other: Mapping[str, float]) -> dict[str, float]:
    """Return row minus other for each metric that both have, in points."""
    return {metric: value - other[metric] for metric, value in row.figures.items() if metric in other}


def same_figures(row: AuditRow, other: Mapping[str, float]) -> bool:
    """Tell whether all figures that both have agree up to rounding."""
    return all(abs(value) <= TOLERANCE for value in differences(row, other).values())


def figures_text(figures: Mapping[str, float]) -> str:
    """Return figures by metric, such as ``mIoU 50.00, mACC 60.00``."""
    return ", ".join(f"{_NAMES[metric]} {percent_text(value)}" for metric, value in figures.items())


def signed(value: float) -> str:
    """Return a difference in points with its sign.

    Example:
        >>> signed(0.1), signed(-2.345), signed(-0.001)
        ('+0.10', '-2.35', '0.00')
    """
    text = percent_text(abs(value))
    return text if float(text) == 0 else f"{'-' if value < 0 else '+'}{text}"


def signed_all(gaps: Mapping[str, float]) -> str:
    """Return differences by metric, such as ``mIoU +1.00, mACC -0.50``."""
    return ", ".join(f"{_NAMES[metric]} {signed(value)}" for metric, value in gaps.items())


def trained_on(train_set: str | None) -> str:
    """Return what stands behind the name of a row, such as `` trained on DLRSD``; nothing for no training set."""
    return f" trained on {training_set_title(train_set)}" if train_set else ""
