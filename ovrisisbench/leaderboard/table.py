"""Records -> leaderboard: one section for each protocol id, and one for each published source.

Only rows of one block are ranked against each other: one protocol id, one
training set, one size of backbone. Published figures never meet measured ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.catalog.protocols import Convention
from ovrisisbench.errors import RecordError
from ovrisisbench.leaderboard.intervals import CountsOf
from ovrisisbench.leaderboard.measured_section import Looks, measured_sections
from ovrisisbench.leaderboard.model import Classes, Leaderboard
from ovrisisbench.leaderboard.printed_section import printed_section
from ovrisisbench.leaderboard.ranking import TieRule
from ovrisisbench.leaderboard.selection import of_backbone, of_protocol, of_train_set, under_convention
from ovrisisbench.records import PublishedTable, Record

__all__ = ["leaderboard_table"]


def leaderboard_table(
    records: Iterable[Record],
    published: Iterable[PublishedTable] = (),
    *,
    protocol: str | None = None,
    train_set: str | None = None,
    backbone: str | None = None,
    convention: Convention | None = None,
    classes: Classes = "all",
    overlap: OverlapTable | None = None,
    counts_of: CountsOf | None = None,
    show_intervals: bool = False,
    ties: TieRule = "exact",
) -> Leaderboard:
    """Make the leaderboard.

    Args:
        records: measured records, such as from :func:`ovrisisbench.records.read_records`.
        published: published tables, such as from :func:`ovrisisbench.records.read_published`; one that shares no data
            set with any record is left out, unless there are no records.
        protocol: keep one protocol only, by name or by id.
        train_set: keep the models of one training set only, ``none`` for those that were not trained; floors stay.
        backbone: keep one backbone (``vit-b``) or one size (``B``) only; floors stay.
        convention: compute all measured figures by this convention; None leaves each record its own.
        classes: average over the classes that training has shown (``seen``), nearly shown (``near``) or not shown
            (``unseen``). Then there is a section for each training set with known classes, and published tables are
            left out, as they print no classes.
        overlap: judgements on which classes are near; None for the installed table.
        counts_of: reads per-image counts, such as :func:`ovrisisbench.leaderboard.counts_beside`; cells then carry
            intervals.
        show_intervals: whether printed forms show them.
        ties: ``interval`` lets rows share a mark whose paired difference may be chance; needs ``counts_of``.

    Raises:
        CatalogError: ``protocol`` asks for a variant that does not exist.
        RecordError: ``protocol``, ``train_set`` or ``backbone`` is nowhere to be found, or two records of one protocol
            id list different data sets.
    """
    records, published = list(records), list(published)
    if protocol is not None:
        records, published = of_protocol(records, published, protocol)
    measured_on = {key for record in records for key in record.protocol.datasets}
    if measured_on:
        published = [table for table in published if measured_on & set(table.datasets)]
    if train_set is not None:
        records, published = of_train_set(records, published, train_set)
    if backbone is not None:
        records, published = of_backbone(records, published, backbone)
    if convention is not None:
        records = under_convention(records, convention)
    if ties == "interval" and counts_of is None:
        raise RecordError("Ties by interval need the per-image counts; give counts_of as well.")
    looks = Looks(classes=classes, overlap=overlap, counts_of=counts_of, ties=ties)
    by_id: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        by_id[record.protocol.name, record.protocol.id].append(record)
    measured = [section for key in sorted(by_id) for section in measured_sections(by_id[key], looks)]
    printed = [] if classes != "all" else [printed_section(table, _claimed(records, table)) for table in published]
    return Leaderboard(sections=(*measured, *printed), shows_intervals=show_intervals)


def _claimed(records: Sequence[Record], table: PublishedTable) -> list[Record]:
    """Return the records of the protocol whose rules a published table claims."""
    return [record for record in records if record.protocol.name == table.claims_protocol]
