"""The audit of published tables: do they agree with themselves and with each other?

Published figures are shown as printed, never corrected. Every finding here is computed from the
published records when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ovrisisbench.leaderboard.audit_ablations import check_complete, check_depth, check_equal, check_shared
from ovrisisbench.leaderboard.audit_model import Check, Finding
from ovrisisbench.leaderboard.audit_rows import ablation_rows, main_rows
from ovrisisbench.leaderboard.audit_single import check_bounds, check_means, check_sources, check_speed
from ovrisisbench.records import PublishedTable
from ovrisisbench.records.published_ablations import PublishedAblation
from ovrisisbench.records.same_rows import SameRows, read_same_rows
from ovrisisbench.records.speed import PublishedSpeed

__all__ = ["Check", "Finding", "audit_tables"]


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
        check_means(tables),
        check_bounds(tables),
        check_sources(tables),
        check_depth(mains, ablations, same),
        check_complete(mains, rows, same),
        *(check_shared(rows, pair) for pair in same.pairs),
        check_equal(rows),
        check_speed(speeds),
    )
