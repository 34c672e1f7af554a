"""The call behind ``ovrisis-bench prepare --all``: every data set that lies somewhere under one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ovrisisbench.catalog.cards import DatasetCard, load_card
from ovrisisbench.catalog.protocols import protocols_testing
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.sources import Source
from ovrisisbench.prepare.layouts.readers import readable_datasets
from ovrisisbench.prepare.layouts.recognition import NothingFoundError
from ovrisisbench.prepare.preparation import Progress, Settings, prepare_scanned, scanned
from ovrisisbench.prepare.report import PrepareReport

__all__ = ["Outcome", "PrepareAllReport", "prepare_all"]


class Outcome(BaseModel):
    """What became of one data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    title: str
    status: Literal["prepared", "unchanged", "checked", "refused", "not found"]
    report: PrepareReport | None = None
    error: str = ""
    """Why it was refused, as one sentence."""
    downloads: tuple[str, ...] = ()
    """Of a data set that was not found: what to get, and from whom."""
    protocols: tuple[str, ...] = ()
    """Installed protocols that test it."""


class PrepareAllReport(BaseModel):
    """The outcome of :func:`prepare_all`; ``--json`` prints exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    source: str
    datasets: tuple[Outcome, ...]
    not_read: tuple[str, ...]
    """Archives that were not looked into, each with the reason."""

    def of(self, *statuses: str) -> tuple[Outcome, ...]:
        """Return the data sets with one of the statuses."""
        return tuple(outcome for outcome in self.datasets if outcome.status in statuses)


def prepare_all(
    source: Path | str,
    target: Path | str = "data",
    *,
    settings: Settings | None = None,
    started: Callable[[str], Progress] | None = None,
) -> PrepareAllReport:
    """Prepare every data set that is found under a folder, and say what is missing.

    The folder is listed once; zips in it that are broken are noted, and what
    is wrong with one data set does not stop the others. Of several layouts of
    one data set the first on its card is taken, and of several variants the
    default one where it can be made. Drawn data sets that are not there are
    not missed, nor are real ones where drawn ones alone were found.

    Args:
        source: a folder such as the one that a browser downloads to.
        target: folder for the prepared files.
        settings: as for one data set.
        started: called with the title of each data set that is found and not finished; returns what is told how
            far it is.

    Raises:
        DataError: the folder cannot be listed.
    """
    settings, source, target = settings or Settings(), Path(source), Path(target)
    with scanned(source, None if settings.check else target, "all", skip_broken=True) as files:
        outcomes = [
            _outcome(load_card(key), files, target, settings, started or _silent) for key in readable_datasets()
        ]
        return PrepareAllReport(source=str(source), datasets=tuple(_missed(outcomes)), not_read=files.not_read)


def _outcome(
    card: DatasetCard, files: Source, target: Path, settings: Settings, started: Callable[[str], Progress]
) -> Outcome:
    known: dict[str, Any] = {"dataset": card.key, "title": card.title, "protocols": protocols_testing(card.key)}
    try:
        report = prepare_scanned(files, card, target, settings, take_first=True, started=lambda: started(card.title))
    except NothingFoundError:
        downloads = tuple(f"{item.what}: {item.archive}, from {item.source}" for item in card.downloads)
        return Outcome(**known, status="not found", downloads=downloads)
    except DataError as error:
        return Outcome(**known, status="refused", error=str(error))
    return Outcome(**known, status=report.status, report=report)


def _missed(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Leave out data sets that were not found and that nobody looked for in this folder."""
    found = {outcome.dataset for outcome in outcomes if outcome.status != "not found"}
    drawn = {outcome.dataset for outcome in outcomes if load_card(outcome.dataset).drawn_after}
    wanted = found if found and found <= drawn else {outcome.dataset for outcome in outcomes} - drawn | found
    return [outcome for outcome in outcomes if outcome.dataset in wanted]


def _silent(_title: str) -> Progress:
    return lambda _phase, _done, _total: None
