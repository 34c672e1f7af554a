"""The whole way from downloads to a leaderboard and a report, in the mini world, with the weights of the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.benchmark import RunReport, run

if TYPE_CHECKING:
    from ovrisisbench.mini import DrawnDownload
    from ovrisisbench.prepare.everything import PrepareAllReport
    from ovrisisbench.records import Record
    from ovrisisbench.report import ReportFiles

__all__ = ["EXPORTS", "PROTOCOL", "Demonstration", "demonstrate"]

EXPORTS = ("leaderboard.csv", "leaderboard.md", "leaderboard.tex")
PROTOCOL: Final = "ovrisisbench-mini-v1"

_TRAINED = ("rskt-seg", "cat-seg", "ovris")
_TRAIN_SET = "mini-dlrsd"
_FLOORS = ("random", "most-frequent")

_COST_MAPS: Final = 3
"""Images of each data set; floors have none."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Where everything that the demo made lies."""

    downloads: tuple[DrawnDownload, ...]
    data: Path
    """Folder with the prepared data sets."""
    report: PrepareAllReport
    results: Path
    records: tuple[Record, ...]
    exports: tuple[Path, ...]
    pages: ReportFiles
    """The report."""


def demonstrate(
    folder: Path,
    *,
    scenes: int = 3,
    seed: int = 0,
    drawing: Callable[[int, int], None] | None = None,
    listener: RunReport | None = None,
) -> Demonstration:
    """Draw the mini downloads, prepare them, run trained models and floors on them, export leaderboard and report.

    Run again, it keeps what is already there.

    Args:
        folder: where everything is put; created.
        scenes: about how many images each data set is tested on.
        seed: of the drawing; the weights have learned in the world of seed 0.
        drawing: told how many scenes of how many are drawn.
        listener: told of the progress of the runs.

    Raises:
        OvrisisBenchError: the folder cannot be written, or holds other data of the same names.
    """
    from ovrisisbench.leaderboard import export_leaderboard, leaderboard_table
    from ovrisisbench.mini import draw_downloads
    from ovrisisbench.prepare.everything import prepare_all
    from ovrisisbench.prepare.preparation import Settings
    from ovrisisbench.records import read_published, read_records
    from ovrisisbench.report import write_report

    downloads, data, results = folder / "downloads", folder / "data", folder / "results"
    drawn = draw_downloads(downloads, images=scenes, seed=seed, progress=drawing)
    # Fewer scenes than the cards count are a part of the mini world, and every record made from them says so.
    report = prepare_all(downloads, data, settings=Settings(allow_partial=True))
    records: list[Record] = []
    for model in (*_TRAINED, *_FLOORS):
        trained = model in _TRAINED
        records += run(
            model,
            backbone="tiny" if trained else None,
            train_set=_TRAIN_SET if trained else None,
            protocol=PROTOCOL,
            data=data,
            results=results,
            device="cpu",
            command=("ovrisis-bench", "demo"),
            report=listener,
            label_maps=True,
            cost_maps=_COST_MAPS if trained else 0,
        )
    board = leaderboard_table(read_records(results), read_published())
    exports = tuple(folder / name for name in EXPORTS)
    for path in exports:
        export_leaderboard(board, path)
    pages = write_report(folder / "report", results=results, data=data)
    return Demonstration(tuple(drawn), data, report, results, tuple(records), exports, pages)
