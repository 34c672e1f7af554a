"""Records in Python: read, shown, as a pandas table, checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.records import Record, read_records, to_frame
from ovrisisbench.records.checking import Contribution, check_records
from ovrisisbench.records.showing import percent

if TYPE_CHECKING:
    import pandas as pd

    from ovrisisbench.notebook import HtmlConsole

__all__ = ["Records", "check_record", "records"]


class Records(list[Record]):
    """Records of a folder: an ordinary list that a notebook shows as a table."""

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a record, see :func:`ovrisisbench.records.to_frame`."""
        return to_frame(self)

    def _show(self, console: HtmlConsole) -> None:
        from rich.table import Table
        from rich.text import Text

        heads = ("model", "backbone", "train set", "data set", "images", "mIoU", "mACC", "fwIoU", "protocol")
        table = Table(title=f"{len(self):,} record(s), percent")
        for head in heads:
            table.add_column(head, justify="right" if head in ("images", "mIoU", "mACC", "fwIoU") else "left")
        for record in self:
            model, metrics = record.model, record.metrics
            figures = map(percent, (metrics.miou, metrics.macc, metrics.fwiou))
            words = (model.title, model.backbone, model.train_set or "", record.dataset.key)
            protocol = f"{record.protocol.name} {record.protocol.id}"
            table.add_row(*map(Text, (*words, f"{record.dataset.images:,}", *figures, protocol)))
        console.print(table)

    def _repr_html_(self) -> str:
        from ovrisisbench.notebook import as_html

        return as_html(self._show)


def records(results: Path | str = "results") -> Records:
    """Read all records below a results folder, in the order of their paths; their figures are computed again.

    Args:
        results: the folder.

    Raises:
        RecordError: no such folder, a file that cannot be used, or two contradicting results of one run.
    """
    return Records(read_records(Path(results)))


def check_record(*paths: Path | str) -> Contribution:
    """Check records before they are shared: every figure, sum and digest, and against the installed cards.

    Args:
        *paths: files, or folders with all records below them.

    Raises:
        RecordError: no such file, or a folder without records.
    """
    return check_records([Path(path) for path in paths])
