"""The audit of published tables: do they agree with themselves and with each other?

Published figures are shown as printed, never corrected. Every finding here is computed from the
published records when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.audit_rows import (
    TOLERANCE,
    AuditRow,
    ablation_rows,
    differences,
    figures_text,
    main_rows,
    mean_over,
    same_figures,
    signed,
    signed_all,
)
from ovrisisbench.leaderboard.model import METRIC_NAMES, METRICS
from ovrisisbench.leaderboard.numbers import mean_of, percent_text
from ovrisisbench.records import PublishedTable
from ovrisisbench.records.published_ablations import PublishedAblation
from ovrisisbench.records.same_rows import SameRows, SharedRows, read_same_rows
from ovrisisbench.records.speed import PublishedSpeed

__all__ = ["Check", "Finding", "audit_tables"]

_FPS_TOLERANCE: Final = 0.01  # two printed decimals of a rate that follows from a time of two decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an audit came upon."""

    subject: str
    """Which rows, in words."""
    verdict: Literal["differs", "agrees"]
    printed: float | None = None
    """Percent, or another unit that ``sentence`` names; None where several figures are compared."""
    computed: float | None = None
    """What it should be by the other figures."""
    difference: float | None = None
    """``printed`` minus ``computed``."""
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question that was put to all published tables."""

    name: str
    question: str
    compared: int
    """How many comparisons were made."""
    unit: str
    """What was compared."""
    findings: tuple[Finding, ...]
    """What is worth saying; where it is empty, everything that was compared agrees."""


def audit_tables(
    tables: Sequence[PublishedTable],
    ablations: Sequence[PublishedAblation],
    speeds: Sequence[PublishedSpeed],
    same: SameRows | None = None,
) -> tuple[Check, ...]:
    """Ask every question.

    Args:
        tables: such as from :func:`ovrisisbench.records.read_published`.
        ablations: such as from :func:`ovrisisbench.records.published_ablations.read_published_ablations`.
        speeds: such as from :func:`ovrisisbench.records.speed.read_published_speed`.
        same: which rows show the same model; None for what is installed.
    """
    same = same or read_same_rows()
    mains = main_rows(tables, same)
    rows = [row for table in ablations for row in ablation_rows(table)]
    return (
        _means(tables),
        _bounds(tables),
        _sources(tables),
        _depth(mains, ablations, same),
        _complete(mains, rows, same),
        *(_shared(rows, pair) for pair in same.pairs),
        _equal(rows),
        _speed(speeds),
    )


def _means(tables: Sequence[PublishedTable]) -> Check:
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
                subject = f"{table.source.title}: {row.title} {row.backbone}{_trained(row.train_set)}"
                findings.append(
                    Finding(
                        subject=subject,
                        verdict="differs",
                        printed=printed,
                        computed=mean,
                        difference=printed - mean,
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


def _bounds(tables: Sequence[PublishedTable]) -> Check:
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
                            subject=f"{table.source.title}: {row.title} {row.backbone}{_trained(row.train_set)}, {key}",
                            verdict="differs",
                            printed=miou,
                            computed=macc,
                            difference=miou - macc,
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


def _sources(tables: Sequence[PublishedTable]) -> Check:
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
                            subject=f"{one.title} {one.backbone}{_trained(one.train_set)}: {first.source.title}, and "
                            f"{second.source.title}",
                            verdict="differs" if abs(gap) > TOLERANCE else "agrees",
                            printed=means[1],
                            computed=means[0],
                            difference=means[1] - means[0],
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


def _depth(mains: Sequence[AuditRow], ablations: Sequence[PublishedAblation], same: SameRows) -> Check:
    """Find the depth whose row in the ablation is the main table's, and over which test sets."""
    compared, findings = 0, []
    tables = {table.name: table for table in ablations}
    depth = tables.get(same.depth.table)
    # The ablation may average over what it says, or over what the other ablations do.
    candidates = list(dict.fromkeys(table.test_sets for table in ablations if table.model == same.main.model))
    for main in mains if depth is not None else ():
        assert depth is not None  # noqa: S101 - for the type checker
        rows = [row for row in ablation_rows(depth) if row.train_set == main.train_set]
        hits = []
        for test_sets in candidates:
            mean = mean_over(main, test_sets)
            compared += len(rows)
            hits += [(row, test_sets) for row in rows if same_figures(row, mean)]
        subject = f"{main.words}, and {depth.source.title}"
        if not hits:
            sentence = "no depth in the ablation has the mean of the main table's row."
            findings.append(Finding(subject=subject, verdict="differs", sentence=sentence))
        for row, test_sets in hits:
            claimed = "as it says" if test_sets == depth.test_sets else f"not over {len(depth.test_sets)} as it says"
            titles = ", ".join(map(training_set_title, test_sets))
            findings.append(
                Finding(
                    subject=subject,
                    verdict="agrees" if test_sets == depth.test_sets else "differs",
                    printed=row.figures["miou"],
                    computed=mean_over(main, test_sets)["miou"],
                    difference=row.figures["miou"] - mean_over(main, test_sets)["miou"],
                    sentence=f"the mean of the main table's row over {titles} is "
                    f"the ablation's row of {same.depth.switch} = {row.switches[same.depth.switch]} "
                    f"({row.figures_text}): the main table was run at that depth, and the ablation is over "
                    f"{len(test_sets)} test sets, {claimed}.",
                )
            )
    return Check(
        name="depth",
        question="At which depth was the main table run?",
        compared=compared,
        unit="rows of the ablation against means of the main table",
        findings=tuple(findings),
    )


def _complete(mains: Sequence[AuditRow], rows: Sequence[AuditRow], same: SameRows) -> Check:
    """Compare every row that shows the complete model with the main table's mean over the same test sets."""
    compared, findings = 0, []
    for wanted in same.complete:
        for row in rows:
            if row.table != wanted.table or row.switches != wanted.switches:
                continue
            for main in mains:
                if row.train_set not in (None, main.train_set):
                    continue
                compared += 1
                mean = mean_over(main, row.test_sets)
                if same_figures(row, mean):
                    continue
                gaps = differences(row, mean)
                unsure = "; the ablation does not say its training set" if row.train_set is None else ""
                findings.append(
                    Finding(
                        subject=f"{row.words}, and {main.words}",
                        verdict="differs",
                        printed=row.figures["miou"],
                        computed=mean["miou"],
                        difference=gaps["miou"],
                        sentence=f"prints {row.figures_text}; the main table has {figures_text(mean)} over the same "
                        f"{len(row.test_sets)} test sets ({signed_all(gaps)}){unsure}.",
                    )
                )
    return Check(
        name="complete model",
        question="Do the ablations print the complete model as the main table does?",
        compared=compared,
        unit="rows of ablations against means of the main table",
        findings=tuple(findings),
    )


def _shared(rows: Sequence[AuditRow], pair: SharedRows) -> Check:
    """Compare the configurations that two ablations have in common."""
    gaps: list[tuple[AuditRow, dict[str, float]]] = []
    for second in (row for row in rows if row.table == pair.second):
        if any(second.switches[key] for key in pair.off_in_second):
            continue
        switches = {one: second.switches[other] for one, other in pair.switches.items()}
        switches |= dict.fromkeys(pair.off_in_first, False)
        gaps += [
            (second, differences(second, first.figures))
            for first in rows
            if (first.table, first.train_set, first.switches) == (pair.first, second.train_set, switches)
        ]
    odd = [(row, gap) for row, gap in gaps if any(abs(value) > TOLERANCE for value in gap.values())]
    shifts = [tuple(round(value, 2) for value in gap.values()) for _, gap in odd]
    findings = [
        Finding(
            subject=f"{row.words}, and {pair.first}",
            verdict="differs",
            printed=row.figures["miou"],
            computed=row.figures["miou"] - gap["miou"],
            difference=gap["miou"],
            sentence=f"the same configuration differs by {signed_all(gap)}"
            + (f"; {shifts.count(shift)} configurations differ by exactly this." if shifts.count(shift) > 1 else "."),
        )
        for (row, gap), shift in zip(odd, shifts, strict=True)
    ]
    return Check(
        name=f"{pair.first} and {pair.second}",
        question="Do two ablations print the configurations they share alike?",
        compared=len(gaps),
        unit="shared configurations",
        findings=tuple(findings),
    )


def _equal(rows: Sequence[AuditRow]) -> Check:
    """Rows of two tables that are the same digit for digit are one run, whatever their headings say."""
    compared, findings = 0, []
    for index, one in enumerate(rows):
        for other in rows[index + 1 :]:
            if one.table == other.table or (
                None not in (one.train_set, other.train_set) and one.train_set != other.train_set
            ):
                continue
            compared += 1
            shared = one.figures.keys() & other.figures.keys()
            if all(one.figures[metric] == other.figures[metric] for metric in shared):
                findings.append(
                    Finding(
                        subject=f"{one.words}, and {other.words}",
                        verdict="agrees",
                        printed=one.figures["miou"],
                        computed=other.figures["miou"],
                        difference=0.0,
                        sentence=f"digit for digit the same ({one.figures_text}): one run, so the settings that one "
                        "table leaves unsaid are those of the other.",
                    )
                )
    return Check(
        name="equal rows",
        question="Which rows of different ablations are one run?",
        compared=compared,
        unit="pairs of rows",
        findings=tuple(findings),
    )


def _speed(speeds: Sequence[PublishedSpeed]) -> Check:
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
                        difference=row.fps - rate,
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


def _trained(train_set: str | None) -> str:
    return f" trained on {training_set_title(train_set)}" if train_set else ""
