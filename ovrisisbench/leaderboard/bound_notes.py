"""What must stand below a table about its floors and ceilings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovrisisbench.leaderboard.measured import MeasuredRow
from ovrisisbench.leaderboard.model import CellKey, Row

__all__ = ["bound_notes", "printed_bound_note"]

_COMPUTED = "Rows marked computed were not run: they follow from how many pixels each class has."


def bound_notes(rows: Sequence[MeasuredRow], bounds: Sequence[Row], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Say what floors and ceilings are, and which models do not beat a floor."""
    floors = [row for row in (*(one.row for one in rows), *bounds) if row.kind == "floor"]
    notes = ["Floors are what every model must beat; they are not ranked."] if floors else []
    if bounds:
        notes.append(_COMPUTED)
    if any(row.kind == "ceiling" for row in bounds):
        notes.append(_ceilings(bounds))
    under = [
        f"{one.row.label} {one.row.backbone} on {', '.join(found)}"
        for one in rows
        if one.row.ranked and (found := [title for key, title in titles.items() if _is_under(one.row, floors, key)])
    ]
    if under:
        notes.append(
            f"At or under a floor in mIoU: {'; '.join(under)}. Look for shifted labels, another order of the "
            "vocabulary, a checkpoint of another model or swapped colour channels before reading anything into it."
        )
    return tuple(notes)


def printed_bound_note(bounds: Sequence[Row]) -> str:
    """Say where the floors of a published table come from."""
    if not bounds:
        return (
            "Floors cannot be shown: the source does not say how many pixels each class has, and no record of the "
            "protocol it claims is at hand."
        )
    return f"{_COMPUTED} Those pixels are of the measured records of the protocol that the source claims."


def _ceilings(bounds: Sequence[Row]) -> str:
    whole = "The oracle labels every pixel rightly: 100 over the classes that have truth."
    if not any(row.model.startswith("closed-set-") for row in bounds):
        return whole
    return (
        f"{whole} With the classes of a training set it can name only those that the set has by the same name or its "
        "singular or plural, and gives all other pixels to the one class that costs least: what lies above it needs "
        "an open vocabulary."
    )


def _is_under(row: Row, floors: Sequence[Row], key: str) -> bool:
    place: CellKey = (key, "miou")
    own = row.cells.get(place)
    if own is None or own.value is None or own.incomplete:
        return False
    found = [floor.cells[place] for floor in floors if place in floor.cells]
    return any(cell.value is not None and not cell.incomplete and own.value <= cell.value for cell in found)
