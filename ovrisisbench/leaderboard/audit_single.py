"""Questions that a published table answers by itself, and sources that print the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ovrisisbench.leaderboard.audit_model import Check, Finding
from ovrisisbench.leaderboard.audit_rows import TOLERANCE, signed, trained_on
from ovrisisbench.leaderboard.model import METRIC_NAMES, METRICS
from ovrisisbench.leaderboard.numbers import mean_of, percent_text
from ovrisisbench.records import PublishedRow, PublishedTable
from ovrisisbench.records.speed import PublishedSpeed

__all__ = ["check_bounds", "check_means", "check_sources", "check_speed"]

_FPS_TOLERANCE: Final = 0.01  # two printed decimals of a rate that follows from a time of two decimals


def check_means(tables: Sequence[PublishedTable]) -> Check:
    """Compare printed means with those of the printed columns."""
    compared, findings = 0, []
    for table in tables:
        for row in table.rows:
            for metric in METRICS:
                columns = getattr(row, metric)
                printed = getattr(row, f"printed_mean_{metric}")
                if printed is None or set(columns) != set(table.datasets):
                    continue
                compared += 1
                mean = mean_of([columns[key] for key in table.datasets])
                if abs(printed - mean) <= TOLERANCE:
                    continue
                subject = _row_words(table, row)
                findings.append(
                    Finding(
                        subject=subject,
                        verdict="differs",
                        printed=printed,
                        computed=mean,
                        sentence=f"prints m-{METRIC_NAMES[metric]} {percent_text(printed)}, its columns give "
                        f"{percent_text(mean)} ({signed(printed - mean)}).",
                    )
                )
    return Check(
        name="means",
        question="Do printed means follow from their own columns?",
        compared=compared,
        unit="printed means",
        findings=tuple(findings),
    )


def check_bounds(tables: Sequence[PublishedTable]) -> Check:
    """A class's IoU is never above its ACC, so neither is the mean over the same classes."""
    compared, findings = 0, []
    for table in tables:
        for row in table.rows:
            for key in (key for key in table.datasets if key in row.miou and key in row.macc):
                compared += 1
                miou, macc = row.miou[key], row.macc[key]
                if miou > macc + TOLERANCE:
                    findings.append(
                        Finding(
                            subject=f"{_row_words(table, row)}, {key}",
                            verdict="differs",
                            printed=miou,
                            computed=macc,
                            sentence=f"prints mIoU {percent_text(miou)} above mACC {percent_text(macc)}.",
                        )
                    )
    return Check(
        name="bounds",
        question="Is every mIoU at most its mACC, as it must be?",
        compared=compared,
        unit="pairs of figures",
        findings=tuple(findings),
    )


def check_sources(tables: Sequence[PublishedTable]) -> Check:
    """Rows of one model, backbone and training set in two tables."""
    compared, findings = 0, []
    for index, first in enumerate(tables):
        for second in tables[index + 1 :]:
            for one in first.rows:
                for other in second.rows:
                    if (one.model, one.backbone, one.train_set) != (other.model, other.backbone, other.train_set):
                        continue
                    compared += 1
                    shared = [key for key in first.datasets if key in one.miou and key in other.miou]
                    worst = max(shared, key=lambda key: abs(other.miou[key] - one.miou[key]))
                    gap = other.miou[worst] - one.miou[worst]
                    means = [mean_of([row.miou[key] for key in shared]) for row in (one, other)]
                    findings.append(
                        Finding(
                            subject=f"{one.title} {one.backbone}{trained_on(one.train_set)}: {first.source.title}, and "
                            f"{second.source.title}",
                            verdict="differs" if abs(gap) > TOLERANCE else "agrees",
                            printed=means[1],
                            computed=means[0],
                            sentence=f"m-mIoU {percent_text(means[0])} and {percent_text(means[1])}; the largest "
                            f"difference of a column is {signed(gap)} in mIoU of {worst}."
                            + (f" {second.source.note}" if second.source.note else ""),
                        )
                    )
    return Check(
        name="sources",
        question="Do sources that print the same model agree?",
        compared=compared,
        unit="pairs of rows",
        findings=tuple(findings),
    )


def check_speed(speeds: Sequence[PublishedSpeed]) -> Check:
    """Compare printed rates with printed times."""
    compared, findings = 0, []
    for table in speeds:
        for row in table.rows:
            compared += 1
            rate = 1000 / row.mean_ms
            if abs(rate - row.fps) > _FPS_TOLERANCE:
                findings.append(
                    Finding(
                        subject=f"{table.source.title}: {row.title}",
                        verdict="differs",
                        printed=row.fps,
                        computed=rate,
                        sentence=f"prints {row.fps} images a second, its {row.mean_ms} ms an image give {rate:.2f}.",
                    )
                )
    return Check(
        name="speed",
        question="Do printed rates follow from printed times?",
        compared=compared,
        unit="rates",
        findings=tuple(findings),
    )


def _row_words(table: PublishedTable, row: PublishedRow) -> str:
    return f"{table.source.title}: {row.title} {row.backbone}{trained_on(row.train_set)}"
