"""What must stand below a table about seen and unseen classes, and about marks that rows share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovrisisbench.catalog import load_overlap_table, training_set_title
from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.leaderboard.blocks import dataset_title
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.measured import MeasuredRow
from ovrisisbench.leaderboard.ranking import TieRule

__all__ = ["group_notes", "view_notes"]


def view_notes(view: ClassView, datasets: Sequence[str], titles: Mapping[str, str], ties: TieRule) -> tuple[str, ...]:
    """Say which classes the means run over, which columns that leaves out, and what ties are."""
    notes = []
    if view.group is not None and view.train_set is not None:
        notes.append(
            f"Means run over the classes that are {view.group} by the names of {training_set_title(view.train_set)} "
            f"({_table(view.table)}); every class could be predicted, and predictions of other classes count as errors."
        )
        gone = [dataset_title(key) for key in datasets if key not in titles]
        if gone:
            notes.append(f"Without such a class that has truth, and so without a column: {', '.join(gone)}.")
    if ties == "interval":
        notes.append(
            "Rows share a mark where the 95 % interval of their paired difference over scenes holds zero; each pair "
            "was looked at for itself."
        )
    return tuple(notes)


def group_notes(
    rows: Sequence[MeasuredRow], unjudged: Sequence[tuple[str, str]], table: OverlapTable | None
) -> tuple[str, ...]:
    """Say what seen, near and unseen mean, and which pairs nobody has judged."""
    if not any(one.row.groups for one in rows):
        return ()
    meaning = (
        "Seen: the training set has the class by the same name, or its singular or plural; near and unseen by "
        f"{_table(table)}. Harmonic: the harmonic mean of mIoU of seen and unseen classes."
    )
    notes = [meaning]
    if unjudged:
        pairs = ", ".join(f"{dataset_title(key)} against {training_set_title(one)}" for one, key in unjudged)
        notes.append(f"Nobody has judged {pairs}, so no class is near there.")
    return tuple(notes)


def _table(table: OverlapTable | None) -> str:
    used = load_overlap_table() if table is None else table
    return f"table of judgements {used.name}, id {used.id}"
