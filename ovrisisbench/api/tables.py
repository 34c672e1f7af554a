"""Tables and pages from a folder of records: leaderboard, conformance, audit, speed, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.api.exports import Export, checked_exports
from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from ovrisisbench.adapter.interface import Precision
    from ovrisisbench.api.findings import Audit, Conformance, SpeedTable
    from ovrisisbench.benchmark.speed import SpeedReport
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.leaderboard import Leaderboard
    from ovrisisbench.leaderboard.model import Classes
    from ovrisisbench.leaderboard.ranking import TieRule
    from ovrisisbench.report import ReportFiles

__all__ = ["audit", "conformance", "leaderboard", "report", "speed"]

_DEFAULT_RESULTS = Path("results")
_HOLD_INTERVALS = (".csv", ".json")


def leaderboard(
    results: Path | str | None = None,
    *,
    protocol: str | None = None,
    train_set: str | None = None,
    backbone: str | None = None,
    convention: Convention | None = None,
    classes: Classes = "all",
    overlap_table: str | None = None,
    intervals: bool | None = None,
    hold_intervals: bool = False,
    ties: TieRule = "exact",
    published: bool = True,
    export: Export = (),
) -> Leaderboard:
    """Make the table of measured records and published figures, with floors and ceilings.

    Rows are ranked only against rows of the same protocol id, training set and size of backbone.

    Args:
        results: folder of measured records; None for ``results``, which need not exist.
        protocol: keep one protocol only, by name or by id.
        train_set: keep the models of one training set only, ``none`` for those that were not trained; floors stay.
        backbone: keep one backbone (``vit-b``) or one size (``B``) only; floors stay.
        convention: compute all measured figures by this convention; None leaves each record its own.
        classes: average over the classes that training has shown (``seen``), nearly shown (``near``) or not shown.
        overlap_table: judgements on which classes are near, a YAML file or an installed name; None for the installed
            ones.
        intervals: whether printed forms show 95 % intervals over scenes, from the counts beside the records; None for
            no, although CSV and JSON files get them.
        hold_intervals: let cells carry intervals even so, for :meth:`Leaderboard.to_frame`.
        ties: ``interval`` lets rows share a mark whose paired difference may be chance.
        published: whether published figures are shown as well.
        export: files to write: ``.csv`` (a line a row), ``.long.csv`` (a line a figure), ``.json``, ``.md``, ``.tex``.

    Raises:
        CatalogError: ``protocol`` asks for a variant that does not exist, or there is no such table of judgements.
        RecordError: no such folder, a file that cannot be used, a filter that fits nothing, or nothing to show.
    """
    from ovrisisbench.catalog import load_overlap_table
    from ovrisisbench.leaderboard import check_export, counts_beside, export_leaderboard, leaderboard_table
    from ovrisisbench.records import read_published, read_record_files

    paths = checked_exports(export, check_export)
    folder = _DEFAULT_RESULTS if results is None else Path(results)
    # The default folder appears with the first run; one that was named must exist.
    files = read_record_files(folder) if results is not None or folder.is_dir() else {}
    held = hold_intervals or any(path.suffix.lower() in _HOLD_INTERVALS for path in paths)
    wanted = hold_intervals or (held if intervals is None else intervals)
    board = leaderboard_table(
        files.values(),
        read_published() if published else (),
        protocol=protocol,
        train_set=train_set,
        backbone=backbone,
        convention=convention,
        classes=classes,
        overlap=None if overlap_table is None else load_overlap_table(overlap_table),
        counts_of=counts_beside(files) if wanted or ties == "interval" else None,
        show_intervals=bool(intervals),
        ties=ties,
    )
    if not board.sections:
        hint = (
            "published tables print no classes, and no measured model was trained on a set whose classes are known"
            if classes != "all" and files
            else "run 'ovrisis-bench run'"
        )
        raise RecordError(f"{folder} holds no fitting record, so there is nothing to show; {hint}.")
    for path in paths:
        export_leaderboard(board, path)
    return board


def conformance(
    results: Path | str = _DEFAULT_RESULTS, *, convention: Convention | None = None, export: Export = ()
) -> Conformance:
    """Compare measured figures with published ones: value, difference, and whether the interval holds it.

    A row's counterpart is of the same model, training set and backbone. Intervals need the per-image counts beside
    the records.

    Args:
        results: folder of measured records.
        convention: compute the measured figures by this one; None leaves each record its own.
        export: ``.csv``, ``.json``, ``.md`` or ``.tex`` files to write.

    Returns:
        The compared figures by table, row and column, the means last; percent.

    Raises:
        RecordError: no such folder, a file that cannot be used, or no record with a published counterpart.
    """
    from ovrisisbench.api.findings import Conformance
    from ovrisisbench.leaderboard import conformance as comparing
    from ovrisisbench.leaderboard import counts_beside
    from ovrisisbench.leaderboard.findings_export import check_findings_export, export_conformance
    from ovrisisbench.leaderboard.selection import under_convention
    from ovrisisbench.records import read_published, read_record_files

    paths = checked_exports(export, check_findings_export)
    files = read_record_files(Path(results))
    records = list(files.values()) if convention is None else under_convention(files.values(), convention)
    found = Conformance(comparing.conformance(records, read_published(), counts_of=counts_beside(files)))
    if not found:
        raise RecordError(
            f"{results} holds no record with a published counterpart; published are "
            f"{', '.join(table.source.title for table in read_published())}."
        )
    for path in paths:
        export_conformance(found, path)
    return found


def audit(*, export: Export = ()) -> Audit:
    """Audit the published tables: printed means, rows that should agree, the depth of the main table.

    Every finding is computed from the published records; nothing is corrected.

    Args:
        export: ``.csv``, ``.json``, ``.md`` or ``.tex`` files to write.

    Raises:
        RecordError: no export goes with a suffix.
    """
    from ovrisisbench.api.findings import Audit
    from ovrisisbench.leaderboard.audit import audit_tables
    from ovrisisbench.leaderboard.findings_export import check_findings_export, export_audit
    from ovrisisbench.records import read_published
    from ovrisisbench.records.published_ablations import read_published_ablations
    from ovrisisbench.records.speed import read_published_speed

    paths = checked_exports(export, check_findings_export)
    checks = Audit(audit_tables(read_published(), read_published_ablations(), read_published_speed()))
    for path in paths:
        export_audit(checks, path)
    return checks


def speed(
    models: Sequence[str] | None = None,
    *,
    backbone: str = "vit-b",
    size: int = 640,
    classes: int = 8,
    images: int = 10,
    warm_up: int = 2,
    settings: Sequence[str] = (),
    device: str = "auto",
    precision: Precision = "float32",
    results: Path | str = _DEFAULT_RESULTS,
    stored: bool = False,
    published: bool = True,
    export: Export = (),
    command: Sequence[str] = ("ovrisisbench.speed",),
    report: SpeedReport | None = None,
) -> SpeedTable:
    """Time models on this machine, write a record for each, and make the table: milliseconds, operations, memory.

    Each model runs in a process of its own, so a script must guard the call by ``if __name__ == "__main__":``.

    Args:
        models: names or ``file.py:Class``; None for every installed model with such a backbone, floors left out.
        backbone: a model without it takes its one of the same size.
        size: side of the drawn images, pixels.
        classes: in the vocabulary.
        images: that are counted.
        warm_up: images before them.
        settings: ``NAME=VALUE`` for every model that has the setting, ``MODEL:NAME=VALUE`` for one.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: arithmetic of products.
        results: folder for records.
        stored: time nothing, and take the records that the folder holds.
        published: whether the paper's table is shown as well.
        export: ``.csv``, ``.json``, ``.md`` or ``.tex`` files to write.
        command: the words that started it, for the records; folders are cut off.
        report: told of every step.

    Raises:
        AdapterError: an unknown model, backbone or setting.
        EvaluationError: no such device, or no model could be timed.
        RecordError: ``stored`` of a folder without records of speed.
    """
    from ovrisisbench.api.findings import SpeedTable
    from ovrisisbench.leaderboard.speed_export import check_speed_export, export_speed
    from ovrisisbench.leaderboard.speed_table import speed_table
    from ovrisisbench.records.speed import read_published_speed, read_speed_records

    paths, folder = checked_exports(export, check_speed_export), Path(results)
    if stored:
        records = read_speed_records(folder)
        if not records:
            raise RecordError(f"{folder} holds no record of speed; run 'ovrisis-bench speed' without --stored.")
    else:
        from ovrisisbench.benchmark.speed import SpeedTask, models_to_time, time_models

        task = SpeedTask(
            size=size,
            classes=classes,
            images=images,
            warm_up=warm_up,
            device=device,
            precision=precision,
            settings=settings,
            command=tuple(command),
        )
        records = time_models(models_to_time(models, backbone), task, folder, report=report)
    table = SpeedTable(speed_table(records, read_published_speed() if published else ()))
    for path in paths:
        export_speed(table, path)
    return table


def report(
    to: Path | str = "site",
    *,
    results: Path | str | None = None,
    data: Path | str = "data",
    images: int = 12,
    protocol: str | None = None,
    published: bool = True,
) -> ReportFiles:
    """Write the records as pages that open from the disk, without server or network.

    Args:
        to: folder for the pages; an earlier report in it is replaced when the new one is finished.
        results: folder of measured records; None for ``results``, which need not exist.
        data: folder with prepared data sets, for pictures; without it the pages hold figures only.
        images: how many images to show of each data set at most: the worst, the middle and the best.
        protocol: show one protocol only, by name or by id.
        published: whether published figures are shown as well.

    Raises:
        RecordError: no such folder, a file that cannot be used, or nothing to show.
        OvrisisBenchError: ``to`` is a folder of other things, or cannot be written.
    """
    from ovrisisbench.report.writing import write_report

    return write_report(
        Path(to),
        results=_DEFAULT_RESULTS if results is None else Path(results),
        data=Path(data),
        images=images,
        protocol=protocol,
        published=published,
        results_must_exist=results is not None,
    )
