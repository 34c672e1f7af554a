"""A warning for runs that do not beat an answer given without looking at any picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovrisisbench.records import Record

__all__ = ["floor_warning"]

_CAUSES = (
    "labels that are shifted by one or in another order (ovrisis-bench inspect), a vocabulary in another order than "
    "the label maps, a checkpoint of another model or training set (ovrisis-bench checkpoint), untrained weights, red "
    "and blue swapped, or prompts other than those that the model was trained with"
)


def floor_warning(records: Sequence[Record]) -> str | None:
    """Return a sentence about the records whose mIoU is at or under a floor, with the usual causes; None without any.

    Args:
        records: of one run; those of floors are passed over.
    """
    from ovrisisbench.evaluate.bounds import highest_floor  # numpy, which the help of the command must not load

    found = []
    for record in records:
        floor = highest_floor(record.confusion_array, record.metrics.convention)
        miou = record.metrics.miou
        if record.model.kind != "floor" and floor is not None and miou is not None and miou <= floor.miou:
            found.append(f"{record.dataset.key} {100 * miou:.2f} (answering {floor.name} gives {100 * floor.miou:.2f})")
    if not found:
        return None
    if records[0].model.weights == "untrained":
        return f"mIoU is not above the floor, as must be expected of untrained weights: {', '.join(found)}."
    return f"mIoU is not above the floor: {', '.join(found)}. Usual causes: {_CAUSES}."
