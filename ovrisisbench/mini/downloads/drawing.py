"""Drawing the eight mini downloads, several processes at once."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ovrisisbench.atomic import write_text
from ovrisisbench.catalog import load_card
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.errors import DataError
from ovrisisbench.mini.downloads.layouts import DEFAULT_IMAGES, LAYOUTS, Item
from ovrisisbench.mini.scene import draw_scene
from ovrisisbench.mini.styles import Style, load_palette, load_style, style_names
from ovrisisbench.prepare.download.sources import DRAWN_ENDING
from ovrisisbench.prepare.storage.disk_errors import explained_disk_errors
from ovrisisbench.prepare.workers import default_workers, run_jobs

__all__ = ["MOST_IMAGES", "WORLD", "DrawnDownload", "draw_downloads", "item_seed", "place_of"]

WORLD: Final = 1
"""Version of the mini world: raised with every change that draws other pixels."""
MOST_IMAGES: Final = 130
"""Most test images a data set: UC Merced's names number a hundred tiles a scene word."""
_BATCH: Final = 8
"""Scenes that a process draws in one go."""


@dataclass(frozen=True, slots=True)
class DrawnDownload:
    """One download as it lies on disk."""

    dataset: str
    folder: Path
    scenes: int
    is_new: bool
    """False if it was complete before."""


@dataclass(frozen=True, slots=True)
class _Job:
    dataset: str
    folder: Path
    seed: int
    items: tuple[Item, ...]


def draw_downloads(
    target: Path,
    *,
    images: int = DEFAULT_IMAGES,
    seed: int = 0,
    datasets: Sequence[str] | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[DrawnDownload]:
    """Draw the mini downloads, each in a folder of its key.

    What is complete is kept; what an interrupted call has begun is drawn anew.

    Args:
        target: folder for all of them; created.
        images: about how many images each data set is tested on, 1..130; training splits grow in proportion.
        seed: non-negative; another one draws another world.
        datasets: keys; None for all eight.
        workers: processes; None for one a processor core.
        progress: told how many scenes of how many are drawn.

    Raises:
        CatalogError: a mini data set that does not exist.
        DataError: a folder that holds something else, or another drawing.
        ValueError: ``images`` is out of range.
    """
    if not 1 <= images <= MOST_IMAGES:
        raise ValueError(f"images is {images}, but must be 1 to {MOST_IMAGES}")
    done = []
    waiting: list[_Job] = []
    new: dict[str, int] = {}
    for key in datasets or style_names():
        style = load_style(key)
        items = LAYOUTS[key].items(images, style)
        if _is_complete(target / key, key, _identity(key, images, seed)):
            done.append(DrawnDownload(key, target / key, len(items), is_new=False))
            continue
        unfinished = _unfinished(target, key)
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
        except OSError as error:
            raise DataError(
                f"{target} cannot be written ({error.strerror}); choose another folder with --to."
            ) from error
        new[key] = len(items)
        waiting += [
            _Job(key, unfinished, seed, tuple(items[start : start + _BATCH])) for start in range(0, len(items), _BATCH)
        ]
    total, drawn = sum(new.values()), 0

    def finished(job: _Job, _none: None) -> None:
        nonlocal drawn
        drawn += len(job.items)
        if progress:
            progress(drawn, total)

    run_jobs(_draw, sorted(waiting, key=_effort), workers=workers or default_workers(), done=finished)
    for key, scenes in new.items():
        unfinished = _unfinished(target, key)
        write_text(unfinished / f"{key}{DRAWN_ENDING}", json.dumps(_identity(key, images, seed), indent=2) + "\n")
        unfinished.rename(target / key)
        done.append(DrawnDownload(key, target / key, scenes, is_new=True))
    return sorted(done, key=lambda download: download.dataset)


def item_seed(dataset: str, seed: int, item: Item) -> tuple[int, ...]:
    """Return the seed of one scene: the same for all frames that show the same ground."""
    return (WORLD, seed, zlib.crc32(dataset.encode()), zlib.crc32(item.split.encode()), item.number)


def _draw(job: _Job) -> None:
    style, card, layout = load_style(job.dataset), load_card(job.dataset), LAYOUTS[job.dataset]
    for item in job.items:
        seed = item_seed(job.dataset, job.seed, item)
        scene = draw_scene(style, seed, place=place_of(style, item), aim=item.aim)
        for name, content in layout.files(item, scene, style, card).items():
            path = job.folder / name
            with explained_disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def place_of(style: Style, item: Item) -> str:
    """Choose the place of a scene so that few scenes show many places, each as often as its weight says."""
    if item.word:
        choices = style.words[item.word]
        return choices[item.turn % len(choices)]
    total = sum(style.places.values())
    shown = dict.fromkeys(style.places, 0)
    chosen = ""
    for turn in range(item.turn + 1):
        chosen = max(shown, key=lambda place: style.places[place] / total * (turn + 1) - shown[place])
        shown[chosen] += 1
    return chosen


def _effort(job: _Job) -> int:
    """Order the largest scenes first, so that no process is left alone with them at the end."""
    height, width = load_style(job.dataset).view.size
    return -height * width


def _unfinished(target: Path, key: str) -> Path:
    return target / f".{key}.unfinished"


def _identity(key: str, images: int, seed: int) -> dict[str, Any]:
    rules = [load_style(key).model_dump(mode="json"), load_palette().model_dump(mode="json")]
    return {"dataset": key, "world": WORLD, "images": images, "seed": seed, "style": content_digest(rules)[:16]}


def _is_complete(folder: Path, key: str, identity: dict[str, Any]) -> bool:
    if not folder.exists():
        return False
    marker = folder / f"{key}{DRAWN_ENDING}"
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} exists and is no drawn download of {key}; choose another folder with --to."
        ) from error
    if found != identity:
        raise DataError(
            f"{folder} holds another drawing of {key} (other scenes, seed or version); remove it, or choose another "
            "folder with --to."
        )
    return True
