"""Questions about ablations: do they agree with the main table, and with each other?"""

from __future__ import annotations

from collections.abc import Sequence

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.audit_model import Check, Finding
from ovrisisbench.leaderboard.audit_rows import (
    AuditRow,
    ablation_rows,
    differences,
    figures_text,
    mean_over,
    same_figures,
    signed_all,
)
from ovrisisbench.records.published_ablations import PublishedAblation
from ovrisisbench.records.same_rows import SameRows, SharedRows

__all__ = ["check_complete", "check_depth", "check_equal", "check_shared"]


def check_depth(mains: Sequence[AuditRow], ablations: Sequence[PublishedAblation], same: SameRows) -> Check:
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


def check_complete(mains: Sequence[AuditRow], rows: Sequence[AuditRow], same: SameRows) -> Check:
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


def check_shared(rows: Sequence[AuditRow], pair: SharedRows) -> Check:
    """Compare the configurations that two ablations have in common."""
    pairs: list[tuple[AuditRow, AuditRow]] = []
    for second in (row for row in rows if row.table == pair.second):
        if any(second.switches[key] for key in pair.off_in_second):
            continue
        switches = {one: second.switches[other] for one, other in pair.switches.items()}
        switches |= dict.fromkeys(pair.off_in_first, False)
        pairs += [
            (second, first)
            for first in rows
            if (first.table, first.train_set, first.switches) == (pair.first, second.train_set, switches)
        ]
    odd = [(row, first) for row, first in pairs if not same_figures(row, first.figures)]
    gaps = [differences(row, first.figures) for row, first in odd]
    shifts = [tuple(round(value, 2) for value in gap.values()) for gap in gaps]
    findings = [
        Finding(
            subject=f"{row.words}, and {pair.first}",
            verdict="differs",
            printed=row.figures["miou"],
            computed=first.figures["miou"],
            sentence=f"the same configuration differs by {signed_all(gap)}"
            + (f"; {shifts.count(shift)} configurations differ by exactly this." if shifts.count(shift) > 1 else "."),
        )
        for (row, first), gap, shift in zip(odd, gaps, shifts, strict=True)
    ]
    return Check(
        name=f"{pair.first} and {pair.second}",
        question="Do two ablations print the configurations they share alike?",
        compared=len(pairs),
        unit="shared configurations",
        findings=tuple(findings),
    )


def check_equal(rows: Sequence[AuditRow]) -> Check:
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
