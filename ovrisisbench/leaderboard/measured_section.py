"""Records of one protocol id -> sections of the leaderboard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ovrisisbench.catalog.class_groups import knows_classes
from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.metrics import CONVENTIONS
from ovrisisbench.leaderboard.blocks import blocks_of, dataset_title, sorted_rows, with_means
from ovrisisbench.leaderboard.bound_notes import bound_notes
from ovrisisbench.leaderboard.bounds import bound_rows, tested_data
from ovrisisbench.leaderboard.class_notes import group_notes, view_notes
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.groups import contamination, unjudged, with_groups
from ovrisisbench.leaderboard.intervals import CountsOf, interval_ties, with_intervals
from ovrisisbench.leaderboard.measured import MeasuredRow, data_key, measured_rows
from ovrisisbench.leaderboard.model import MEAN, Classes, Section, columns_of
from ovrisisbench.leaderboard.notes import measured_notes
from ovrisisbench.leaderboard.ranking import TieRule
from ovrisisbench.leaderboard.wording import class_words
from ovrisisbench.records import Record

__all__ = ["Looks", "measured_sections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What is asked of every section; see :func:`ovrisisbench.leaderboard.leaderboard_table`."""

    classes: Classes
    overlap: OverlapTable | None
    counts_of: CountsOf | None
    ties: TieRule


def measured_sections(records: Sequence[Record], looks: Looks) -> list[Section]:
    """Return one section, or with a group of classes one for each training set that tells the group.

    Raises:
        RecordError: two records list different data sets.
    """
    protocol = records[0].protocol
    for record in records:
        if record.protocol.datasets != protocol.datasets:
            raise RecordError(
                f"The records {records[0].stem} and {record.stem} have the same protocol id {protocol.id} but list "
                "different data sets: one of them was edited by hand; restore it, or evaluate again."
            )
    if looks.classes == "all":
        return [_section(records, ClassView(table=looks.overlap), looks)]
    known = sorted({train_set for record in records if knows_classes(train_set := record.model.train_set)}, key=str)
    sections = []
    for train_set in known:
        # Rows that were trained on something else do not compare: other classes are new to them.
        fitting = [record for record in records if record.model.train_set in (None, train_set)]
        sections.append(_section(fitting, ClassView(looks.classes, train_set, looks.overlap), looks))
    return [section for section in sections if section.datasets]


def _section(records: Sequence[Record], view: ClassView, looks: Looks) -> Section:
    protocol = records[0].protocol
    found, left_out = measured_rows(records, view)
    datasets = tuple(key for key in protocol.datasets if _has_column(key, found, view))
    titles = {key: dataset_title(key) for key in datasets}
    found = [replace(one, row=with_means(one.row, datasets)) for one in found]
    if looks.counts_of is not None:
        found = [with_intervals(one, datasets, view, looks.counts_of) for one in found]
    if view.group is None:
        found = [with_groups(one, datasets, looks.overlap) for one in found]
    mixed = _mixed(found, datasets)
    by_row = {id(one.row): one for one in found}
    ordered = [by_row[id(row)] for row in sorted_rows(one.row for one in found)]
    tested = tested_data(found, datasets)
    train_sets = sorted({one.model.train_set for one in found if one.model.train_set is not None})
    bounds = bound_rows(tested, found, datasets, view, train_sets)
    ties = (
        interval_ties(ordered, datasets, view, looks.counts_of)
        if looks.ties == "interval" and looks.counts_of is not None
        else None
    )
    conventions = sorted({record.metrics.convention for record in records})
    # So that the labels of two exports differ.
    other_rules = [convention for convention in conventions if convention != CONVENTIONS[0]]
    title = f"Measured under {protocol.name} (id {protocol.id})"
    if view.group is not None:
        title += f", {class_words(view.group, view.train_set)}"
    return Section(
        source="measured",
        name="-".join(filter(None, (protocol.name, protocol.id, view.train_set, view.group, *other_rules))),
        title=title,
        protocol=protocol.name,
        protocol_id=protocol.id,
        convention=", ".join(conventions),
        datasets=titles,
        mixed=mixed,
        blocks=blocks_of(
            [*((one.model.train_set, one.row) for one in ordered), *((None, row) for row in bounds)],
            columns_of(datasets),
            {*mixed, MEAN} if mixed else (),
            ties,
        ),
        notes=(
            *measured_notes(ordered, titles, mixed, left_out),
            *view_notes(view, protocol.datasets, titles, looks.ties),
            *group_notes(found, unjudged(ordered, protocol.datasets, looks.overlap), looks.overlap),
            *bound_notes(ordered, bounds, titles),
        ),
        classes=looks.classes,
        classes_of=view.train_set,
        contamination=contamination(ordered, datasets),
    )


def _has_column(key: str, rows: Sequence[MeasuredRow], view: ClassView) -> bool:
    """Leave out a data set without any class of the view that has truth; one that nobody measured stays."""
    if view.group is None:
        return True
    records = [row.records[key] for row in rows if key in row.records]
    return not records or any(map(view.has_truth, records))


def _mixed(rows: Sequence[MeasuredRow], datasets: Sequence[str]) -> frozenset[str]:
    """Return the data sets that complete records were measured on in more than one preparation.

    Models of one training set must also have been spared the same images.
    """
    found: dict[str, set[tuple[str, str, str, str]]] = {key: set() for key in datasets}
    left_out: dict[tuple[str, str | None], set[str | None]] = defaultdict(set)
    for row in rows:
        for key, record in row.records.items():
            if key in found and record.is_complete:
                found[key].add(data_key(record))
                left_out[key, record.model.train_set].add(record.dataset.left_out)
    several = {key for key, preparations in found.items() if len(preparations) > 1}
    return frozenset(several | {key for (key, _), digests in left_out.items() if len(digests) > 1})
