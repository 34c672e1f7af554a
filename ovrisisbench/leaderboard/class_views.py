"""Which classes the figures of a table run over: all, or those that a training set has shown or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ovrisisbench.catalog.class_groups import ClassGroup, class_groups
from ovrisisbench.catalog.overlap_table import OverlapTable
from ovrisisbench.evaluate.class_means import class_means
from ovrisisbench.leaderboard.model import Cell, Metric
from ovrisisbench.leaderboard.numbers import percent
from ovrisisbench.records import Record

__all__ = ["ClassView", "flags_of_group"]


def flags_of_group(
    record: Record, group: ClassGroup, train_set: str, table: OverlapTable | None = None
) -> tuple[bool, ...]:
    """Return for each class of a record's vocabulary whether it is in a group of a training set."""
    groups = class_groups(
        train_set,
        record.vocabulary.class_names,
        dataset=record.dataset.key,
        variant=record.dataset.variant,
        table=table,
    )
    return groups.of(group)


@dataclass(frozen=True, slots=True)
class ClassView:
    """All classes, or one group of them by one training set."""

    group: ClassGroup | None = None
    """None for all classes."""
    train_set: str | None = None
    """Which training set tells the group."""
    table: OverlapTable | None = None
    """Judgements; None for the installed table."""

    def flags(self, record: Record) -> tuple[bool, ...]:
        """Return K flags, whether a mean on this record's data set runs over the class."""
        if self.group is None or self.train_set is None:
            return (True,) * len(record.vocabulary.class_names)
        return flags_of_group(record, self.group, self.train_set, self.table)

    def has_truth(self, record: Record) -> bool:
        """Tell whether any class of the view has a labelled pixel on this record's data set."""
        truth = record.confusion_array.sum(axis=1)
        return bool(truth[np.asarray(self.flags(record))].any())

    def cells(self, confusion: NDArray[np.int64], record: Record) -> Mapping[Metric, Cell]:
        """Return the figures of a confusion matrix.

        Args:
            confusion: (K, K) counts, the record's own or those of a floor on the same data.
            record: says the class names, the convention, and whether the data are complete.
        """
        means = class_means(confusion, self.flags(record), record.metrics.convention)
        incomplete = not record.is_complete
        values: dict[Metric, tuple[float | None, int]] = {
            "miou": (means.miou, means.classes_in_miou),
            "macc": (means.macc, means.classes_in_macc),
        }
        return {
            metric: Cell(
                value=None if value is None else percent(value),
                classes=classes,
                num_classes=means.num_classes,
                incomplete=incomplete,
            )
            for metric, (value, classes) in values.items()
        }
