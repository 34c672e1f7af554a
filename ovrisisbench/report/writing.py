"""All pages of a report, written at once or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ovrisisbench import __version__
from ovrisisbench.errors import CatalogError, OvrisisBenchError, RecordError
from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.report.classes import class_rows, confusions, same_vocabulary
from ovrisisbench.report.data_pages import card_content, data_page, datasets_shown, sheet_page
from ovrisisbench.report.gathering import Gathered, gather
from ovrisisbench.report.images import ImageBrowser, image_browser
from ovrisisbench.report.intervals import shown_intervals
from ovrisisbench.report.leaderboard_page import leaderboard_content, result_page
from ovrisisbench.report.rendering import ASSETS, asset, render, script_json
from ovrisisbench.report.rows import ShownSection, file_part, names_apart, shown_sections
from ovrisisbench.report.speed_page import speed_content

if TYPE_CHECKING:
    from ovrisisbench.records import CountsTable

__all__ = ["ReportFiles", "write_report"]

_MARKER: Final = "ovrisisbench-report.json"
"""Tells a report from a folder of somebody's own, which is never replaced."""
_SHEET_IMAGES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """What was written."""

    index: Path
    """The first page."""
    pages: int
    images: int
    """Images in the browsers, with or without pictures."""
    page_bytes: int
    """Pages, styles and scripts."""
    picture_bytes: int
    """Pictures, label and cost maps, contact sheets."""
    missing: tuple[str, ...]
    """One sentence for each thing that could not be shown."""


def write_report(
    to: Path,
    *,
    results: Path = Path("results"),
    data: Path = Path("data"),
    images: int = 12,
    protocol: str | None = None,
    published: bool = True,
    results_must_exist: bool = True,
) -> ReportFiles:
    """Write the report; an earlier one in its place is replaced when the new one is finished.

    Args:
        to: folder of the report; created.
        results: folder of records, with their counts and kept maps.
        data: folder of prepared data sets, for pictures; may be missing.
        images: how many images to show of each data set at most: the worst, the middle and the best.
        protocol: show one protocol only, by name or id.
        published: show published figures as well.
        results_must_exist: False if a missing results folder means that nothing was measured.

    Raises:
        RecordError: a file in the results folder that cannot be used, or nothing to show.
        OvrisisBenchError: ``to`` is a folder of other things, or cannot be written.
    """
    _check_target(to)
    gathered = gather(results, data, published=published, must_exist=results_must_exist)
    board = leaderboard_table(gathered.records, gathered.published, protocol=protocol)
    if not board.sections:
        raise RecordError(f"{results} holds no fitting record, so there is nothing to show; run 'ovrisis-bench run'.")
    sections = shown_sections(board, gathered.records)
    stems = {record.stem for section in sections for row in section.rows for record in row.records.values()}
    found = {record.stem: gathered.counts(record) for record in gathered.records if record.stem in stems}
    counts = {stem: table for stem, table in found.items() if table is not None}
    site = _Site()
    for name in ASSETS:
        site.add_text(f"assets/{name}", asset(name))
    content = leaderboard_content(sections, gathered.published, shown_intervals(sections, counts))
    site.add_page("index.html", "leaderboard", page="leaderboard", **content)
    has_published = any(section.section.source == "published" for section in sections)
    speed = speed_content(sections, gathered.speed, gathered.published_speed if has_published else ())
    site.add_page("speed.html", "speed", page="speed", **speed)
    for section in sections:
        _add_results(site, section, gathered, counts, images)
    _add_data(site, sections, gathered)
    return site.write(to)


def _add_results(
    site: _Site, section: ShownSection, gathered: Gathered, counts: Mapping[str, CountsTable], images: int
) -> None:
    """Add the page of every data set that was measured under one protocol id."""
    has_card = set(datasets_shown([section]))
    for key, title in section.section.datasets.items():
        everybody = section.with_record(key)
        if not everybody:
            continue
        rows = same_vocabulary(everybody, key)
        models, classes = names_apart(rows), class_rows(rows, key)
        names = rows[0].records[key].vocabulary.class_names
        browser = image_browser(rows, models, key, gathered, counts, images=images)
        path = result_page(section, key)
        site.add_page(
            path,
            "result",
            page="",
            title=title,
            section=section.section,
            data_link=data_page(key) if key in has_card else "",
            class_names=names,
            rows=classes,
            left_out=names_apart([row for row in everybody if row not in rows]),
            has_unseen=any(cell["unseen"] for row in classes for cell in row["cells"]),
            confusion={"classes": names, "models": confusions(rows, models, key)},
            browser=None if browser is None else _browser(site, path, browser, names, models),
            missing=browser.missing if browser else ["No images: the records have no per-image counts."],
        )


def _browser(
    site: _Site, path: str, browser: ImageBrowser, names: Sequence[str], models: Sequence[str]
) -> dict[str, Any]:
    """Write the pictures and maps of one page and return what its script needs."""
    folder = f"pictures/{path.removeprefix('results/').removesuffix('.html')}"
    root = "../" * path.count("/")
    images = []
    for number, image in enumerate(browser.images):
        entry: dict[str, Any] = {"id": image.id, "scores": image.scores, "picture": "", "maps": ""}
        if image.picture is not None and image.maps is not None:
            site.add_picture(f"{folder}/{number}.webp", image.picture)
            site.add_picture(f"{folder}/{number}.js", f"ovrisisbench.receive({script_json(image.maps)});\n".encode())
            entry["picture"], entry["maps"] = f"{root}{folder}/{number}.webp", f"{root}{folder}/{number}.js"
            entry["costs"] = bool(image.maps["costs"])
        images.append(entry)
    site.count(browser)
    return {
        "classes": list(names),
        "models": list(models),
        "colours": browser.colours,
        "judges": browser.judges,
        "images": images,
        "of": browser.of,
    }


def _add_data(site: _Site, sections: Sequence[ShownSection], gathered: Gathered) -> None:
    from ovrisisbench.prepare.contact_sheet.page import contact_sheet

    cards = []
    for key in datasets_shown(sections):
        results = {
            section.section.title: f"../{result_page(section, key)}"
            for section in sections
            if key in section.section.datasets and section.with_record(key)
        }
        dataset = gathered.prepared(key, _variant(sections, key))
        content = card_content(key, dataset, results)
        site.add_page(data_page(key), "data", page="data", **content)
        if dataset is not None:
            home = (f"{file_part(key)}.html", f"Report: {content['card'].title}")
            site.add_picture(sheet_page(key), contact_sheet(dataset, images=_SHEET_IMAGES, home=home).encode())
        cards.append({**content, "link": data_page(key)})
    site.add_page("datasets.html", "datasets", page="data", cards=cards)


def _variant(sections: Iterable[ShownSection], key: str) -> str:
    """Return the variant that records were measured on; else the card's default one."""
    from ovrisisbench.catalog import load_card

    for section in sections:
        for row in section.with_record(key):
            try:
                return load_card(key).variant(row.records[key].dataset.variant).name
            except CatalogError:
                continue
    return load_card(key).default_variant


class _Site:
    """Files of a report before they are written."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._pictures: set[str] = set()
        self._images = 0
        self._missing: list[str] = []

    def add_text(self, path: str, text: str) -> None:
        self._files[path] = text.encode()

    def add_page(self, path: str, template: str, **content: Any) -> None:  # noqa: ANN401
        self.add_text(path, render(template, root="../" * path.count("/"), version=__version__, **content))

    def add_picture(self, path: str, content: bytes) -> None:
        self._files[path] = content
        self._pictures.add(path)

    def count(self, browser: ImageBrowser) -> None:
        self._images += len(browser.images)
        self._missing += [sentence for sentence in browser.missing if sentence not in self._missing]

    def write(self, to: Path) -> ReportFiles:
        """Write everything into a folder beside ``to`` and put it in its place."""
        temporary = to.absolute().with_name(f".{to.name}.tmp-{os.getpid()}")
        try:
            self.add_text(_MARKER, f'{{"made_by": "ovrisisbench {__version__}"}}\n')
            for path, content in self._files.items():
                target = temporary / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            if to.exists():
                shutil.rmtree(to)
            temporary.rename(to)
        except OSError as error:
            raise OvrisisBenchError(
                f"{to} cannot be written ({error.strerror}); choose another folder with --to."
            ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        sizes = {path: len(content) for path, content in self._files.items()}
        pictures = sum(sizes[path] for path in self._pictures)
        return ReportFiles(
            index=to / "index.html",
            pages=sum(path.endswith(".html") for path in sizes),
            images=self._images,
            page_bytes=sum(sizes.values()) - pictures,
            picture_bytes=pictures,
            missing=tuple(self._missing),
        )


def _check_target(to: Path) -> None:
    """Refuse to replace anything but an earlier report."""
    if to.is_file():
        raise OvrisisBenchError(f"{to} is a file; name a folder for the report with --to.")
    if to.is_dir() and any(to.iterdir()) and not (to / _MARKER).is_file():
        raise OvrisisBenchError(
            f"{to} holds other files than a report, which would be lost; name a new folder with --to."
        )
