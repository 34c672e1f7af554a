"""Seen and unseen classes, and images seen in training, as printed tables."""

from __future__ import annotations

from ovrisisbench.catalog import training_set_title
from ovrisisbench.leaderboard.latex_template import latex_label
from ovrisisbench.leaderboard.model import GROUP_COLUMNS, MEAN, Contamination, GroupColumn, Row, Section
from ovrisisbench.leaderboard.numbers import percent_text
from ovrisisbench.leaderboard.text_table import TextTable
from ovrisisbench.leaderboard.wording import MISSING, column_title

__all__ = ["section_tables"]


def section_tables(section: Section) -> tuple[TextTable, ...]:
    """Return what stands below the figures of a section: one table for each training set, and the images seen."""
    by_train_set: dict[str, list[Row]] = {}
    for block in section.blocks:
        rows = [row for row in block.rows if row.groups]
        if rows and block.train_set is not None:
            by_train_set.setdefault(block.train_set, []).extend(rows)
    tables = [_groups(section, train_set, rows) for train_set, rows in by_train_set.items()]
    if section.contamination:
        tables.append(_contamination(section))
    return tuple(tables)


def _groups(section: Section, train_set: str, rows: list[Row]) -> TextTable:
    lines: list[tuple[str, ...]] = []
    rules = set()
    for row in rows:
        rules.add(len(lines))
        there = [group for group in GROUP_COLUMNS if any(found == group for _, found in row.groups)]
        for index, group in enumerate(there):
            name = (row.label, row.backbone) if index == 0 else ("", "")
            lines.append((*name, group, *(_cell(row, (key, group)) for key in (*section.datasets, MEAN))))
    columns = [column_title(section, key) for key in (*section.datasets, MEAN)]
    return TextTable(
        name=latex_label(f"{section.name}-groups-{train_set}"),
        title=f"Seen, near and unseen classes after training on {training_set_title(train_set)}: mIoU in percent under "
        f"{section.protocol} (id {section.protocol_id}), metric convention {section.convention}",
        heads=("Method", "Backbone", "Classes", *columns),
        align="nll" + "r" * len(columns),
        rows=tuple(lines),
        rules=frozenset(rules),
    )


def _cell(row: Row, key: tuple[str, GroupColumn]) -> str:
    cell = row.groups.get(key)
    if cell is None or cell.value is None:
        return MISSING
    return percent_text(cell.value) + ("*" if cell.lacks_classes else "") + ("†" if cell.incomplete else "")


def _contamination(section: Section) -> TextTable:
    train_sets = list(dict.fromkeys(entry.train_set for entry in section.contamination))
    lines, notes = [], []
    for train_set in train_sets:
        cells = []
        for key in section.datasets:
            found = [entry for entry in section.contamination if (entry.train_set, entry.dataset) == (train_set, key)]
            cells.append(" or ".join(map(_share, found)) or MISSING)
            notes += [
                f"{section.datasets[key]} after training on {training_set_title(train_set)}: {kinds}."
                for entry in found
                if (kinds := _kinds(entry))
            ]
        lines.append((training_set_title(train_set), *cells))
    fates = {entry.left_out for entry in section.contamination}
    fate = {True: "and left out of the test", False: "and tested like all others"}
    how = fate[next(iter(fates))] if len(fates) == 1 else "left out of the test by some records"
    return TextTable(
        name=latex_label(f"{section.name}-seen-images"),
        title=f"Test images seen in training, {how}",
        heads=("Trained on", *section.datasets.values()),
        align="l" + "r" * len(section.datasets),
        rows=tuple(lines),
        notes=tuple(notes),
    )


def _share(entry: Contamination) -> str:
    return f"{'≥' if entry.at_least else ''}{entry.images:,}/{entry.of:,}"


def _kinds(entry: Contamination) -> str:
    kinds = ((entry.by_split, "of its split"), (entry.exact, "with equal pixels"), (entry.near, "alike"))
    return ", ".join(f"{count:,} {words}" for count, words in kinds if count)
