"""The rows of the leaderboard together with the records that stand behind their figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovrisisbench.catalog.identity import short_id
from ovrisisbench.leaderboard import Block, Leaderboard, Row, Section
from ovrisisbench.leaderboard.class_views import ClassView
from ovrisisbench.leaderboard.measured import measured_rows
from ovrisisbench.records import Record
from ovrisisbench.records.names import file_slug

__all__ = ["ShownRow", "ShownSection", "file_part", "names_apart", "shown_sections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """One row, with an id that is unique in the report."""

    id: str
    block: Block
    row: Row
    records: Mapping[str, Record]
    """By data set; empty for published rows."""

    @property
    def name(self) -> str:
        """Title, qualifiers and backbone, unique among the rows of one training set."""
        backbone = "" if self.row.backbone in ("", "none") else f", {self.row.backbone}"
        return f"{self.row.label}{backbone}"

    @property
    def train_title(self) -> str:
        """What it was trained on, or the title of its block where that says nothing of training."""
        return self.block.title.removeprefix("Trained on ")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSection:
    """One protocol id or published source."""

    id: str
    section: Section
    rows: tuple[ShownRow, ...]

    def with_record(self, key: str) -> list[ShownRow]:
        """Return the rows that were measured on a data set, in the order of the table."""
        return [row for row in self.rows if key in row.records]


def shown_sections(board: Leaderboard, records: Sequence[Record]) -> list[ShownSection]:
    """Give every row of a leaderboard its records.

    Args:
        board: made from these records.
        records: all of them.
    """
    by_protocol: dict[tuple[str, str | None], list[Record]] = defaultdict(list)
    for record in records:
        by_protocol[record.protocol.name, record.protocol.id].append(record)
    shown = []
    for number, section in enumerate(board.sections):
        found: dict[tuple[str | None, str, str], Mapping[str, Record]] = {}
        if section.source == "measured":
            rows, _ = measured_rows(by_protocol[section.protocol, section.protocol_id], ClassView())
            found = {(one.model.train_set, one.row.label, one.row.backbone): one.records for one in rows}
        pairs = [(block, row) for block in section.blocks for row in block.rows]
        shown.append(
            ShownSection(
                id=file_part(section.name),
                section=section,
                rows=tuple(
                    ShownRow(
                        id=f"r{number}-{index}",
                        block=block,
                        row=row,
                        records=found.get((block.train_set, row.label, row.backbone), {}),
                    )
                    for index, (block, row) in enumerate(pairs)
                ),
            )
        )
    return shown


def names_apart(rows: Sequence[ShownRow]) -> list[str]:
    """Return the names of rows, with the training set where rows of several have one name."""
    counted = Counter(row.name for row in rows)
    return [row.name if counted[row.name] == 1 else f"{row.name} ({row.train_title})" for row in rows]


def file_part(name: str) -> str:
    """Return a name as a part of a path: itself where it is plain, else made plain and told apart by a digest.

    Example:
        >>> file_part("mini-dlrsd"), file_part("../Tiles <1>").rpartition("-")[0]
        ('mini-dlrsd', 'tiles-1')
    """
    slug = file_slug(name)
    return slug if slug == name else f"{slug}-{short_id(name)}"
