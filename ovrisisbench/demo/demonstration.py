"""The whole way from a download to a leaderboard, on drawn scenes and with untrained weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.benchmark import RunReport, run

if TYPE_CHECKING:
    from ovrisisbench.prepare import PrepareReport
    from ovrisisbench.records import Record

__all__ = ["EXPORTS", "Demonstration", "demonstrate"]

EXPORTS = ("leaderboard.csv", "leaderboard.md", "leaderboard.tex")

_MODELS = (("rskt-seg", "tiny"), ("random", None), ("most-frequent", None))
"""Model and backbone; all of them untrained or floors, so no figure of the demo ranks anything."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Where everything that the demo made lies."""

    download: Path
    """Drawn scenes in the layout that the publisher of iSAID uses."""
    prepared: Path
    report: PrepareReport
    results: Path
    records: tuple[Record, ...]
    exports: tuple[Path, ...]


def demonstrate(folder: Path, *, scenes: int = 6, seed: int = 0, listener: RunReport | None = None) -> Demonstration:
    """Draw a download, prepare it, run RSKT-Seg and the floors on it, and export the leaderboard.

    Run again, it keeps what is already there.

    Args:
        folder: where everything is put; created.
        scenes: how many scenes are drawn.
        seed: of the drawing and of the untrained weights.
        listener: told of the progress of the runs.

    Raises:
        OvrisisBenchError: the folder cannot be written, or holds other data of the same names.
    """
    from ovrisisbench.demo.scenes import draw_isaid_download
    from ovrisisbench.leaderboard import export_leaderboard, leaderboard_table
    from ovrisisbench.prepare import prepare, prepared_path
    from ovrisisbench.records import read_published, read_records

    download, data, results = folder / "download" / "iSAID", folder / "data", folder / "results"
    if not download.exists():
        draw_isaid_download(download, scenes=scenes, seed=seed)
    # Six scenes are far from the 1,869 of the real data set, and every record made from them says so.
    report = prepare("isaid", download, data, allow_partial=True)
    records: list[Record] = []
    for model, backbone in _MODELS:
        records += run(
            model,
            backbone=backbone,
            untrained=model == "rskt-seg",
            seed=seed,
            datasets=["isaid"],
            data=data,
            results=results,
            device="cpu",
            command=("ovrisis-bench", "demo"),
            report=listener,
        )
    board = leaderboard_table(read_records(results), read_published())
    exports = tuple(folder / name for name in EXPORTS)
    for path in exports:
        export_leaderboard(board, path)
    return Demonstration(download, prepared_path(data, "isaid"), report, results, tuple(records), exports)
