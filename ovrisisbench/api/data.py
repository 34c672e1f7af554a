"""Data sets: their class names, what a prepared file holds, which images occur twice, the mini world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ovrisisbench.errors import DataError

if TYPE_CHECKING:
    from ovrisisbench.benchmark import RunReport
    from ovrisisbench.catalog import Vocabulary
    from ovrisisbench.catalog.overlap import ClassOverlap
    from ovrisisbench.demo.demonstration import Demonstration
    from ovrisisbench.mini.downloads.drawing import DrawnDownload
    from ovrisisbench.prepare import Duplicates
    from ovrisisbench.prepare.inspection import Inspection

__all__ = ["demo", "duplicates", "inspect", "mini", "vocabulary"]


@overload
def vocabulary(dataset: str, against: None = None, *, variant: str | None = None, table: None = None) -> Vocabulary: ...


@overload
def vocabulary(dataset: str, against: str, *, variant: str | None = None, table: str | None = None) -> ClassOverlap: ...


def vocabulary(
    dataset: str, against: str | None = None, *, variant: str | None = None, table: str | None = None
) -> Vocabulary | ClassOverlap:
    """Return the class names of a data set in label order, or which of them another one's training has shown.

    Args:
        dataset: its key.
        against: key of a training set to compare with.
        variant: another reading of ``dataset`` than the default one.
        table: judgements on class names, a YAML file or an installed name; None for the installed ones.

    Raises:
        CatalogError: an unknown data set, variant or table.

    Example:
        >>> vocabulary("udd5").class_names
        ('Vegetation', 'Building', 'Road', 'Vehicle', 'Other')
    """
    from ovrisisbench.catalog import class_overlap, load_card, load_overlap_table, load_vocabulary
    from ovrisisbench.catalog.overlap_table import DEFAULT_TABLE

    own = load_vocabulary(load_card(dataset).variant(variant).vocabulary)
    if against is None:
        return own
    train = load_vocabulary(load_card(against).variant().vocabulary)
    return class_overlap(train, own, load_overlap_table(table or DEFAULT_TABLE))


def inspect(file: Path | str, *, html: Path | str | None = None, images: int = 24) -> Inspection:
    """Say what a prepared file holds, from its manifest alone; also as a page with pictures under their labels.

    Args:
        file: the prepared file.
        html: page to write, one file that opens anywhere; None for none.
        images: how many pictures the page shows, 1..200.

    Raises:
        DataError: the file cannot be used, or ``html`` is not named as a page.
    """
    from ovrisisbench.prepare.inspection import inspect_prepared

    return inspect_prepared(Path(file), page=None if html is None else Path(html), images=images)


def duplicates(file: Path | str, against: Path | str | None = None, *, distance: int | None = None) -> Duplicates:
    """Find images in a prepared file that show the same, or those that it shares with another one.

    Args:
        file: a prepared file.
        against: another one, to find only twins between the two; None for those inside ``file``.
        distance: bits of 256 in which near duplicates may differ; None for what held-out protocols take.

    Raises:
        DataError: a file that cannot be used.
    """
    from ovrisisbench.prepare import PreparedDataset, find_duplicates
    from ovrisisbench.prepare.download.perceptual_hash import NEAR

    manifests = []
    for path in (file, *(() if against is None else (against,))):
        with PreparedDataset(Path(path)) as dataset:
            manifests.append(dataset.manifest)
    return find_duplicates(*manifests, distance=NEAR if distance is None else distance)


def mini(
    to: Path | str | None = None,
    *,
    scenes: int = 30,
    seed: int = 0,
    datasets: Sequence[str] | None = None,
    sheet: Path | str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[DrawnDownload]:
    """Draw the data sets of the mini world, each as a download in its publisher's layout; what is complete is kept.

    Args:
        to: folder for the downloads; None to draw none.
        scenes: about how many images each data set is tested on; the cards count 30.
        seed: another one, another world.
        datasets: keys; None for all eight.
        sheet: picture to write (.webp, .png or .jpg) that shows a scene of each data set above its label map.
        workers: processes that draw; None for one a core.
        progress: told how many scenes of how many are drawn.

    Returns:
        The downloads, none without ``to``.

    Raises:
        DataError: neither ``to`` nor ``sheet``, or an unknown data set.
    """
    if to is None and sheet is None:
        raise DataError("Say where to draw the downloads (to), or a picture of them (sheet).")
    if sheet is not None:
        from ovrisisbench.atomic import write_bytes
        from ovrisisbench.mini.sheet import mini_sheet, picture_bytes

        write_bytes(Path(sheet), picture_bytes(mini_sheet(seed=seed), Path(sheet).suffix))
    if to is None:
        return []
    from ovrisisbench.mini import draw_downloads

    return draw_downloads(Path(to), images=scenes, seed=seed, datasets=datasets, workers=workers, progress=progress)


def demo(
    to: Path | str = "demo",
    *,
    scenes: int = 3,
    drawing: Callable[[int, int], None] | None = None,
    report: RunReport | None = None,
) -> Demonstration:
    """Draw the mini world and run the whole benchmark on it; needs no download and no GPU.

    Args:
        to: folder for everything that is made; what is there already is kept.
        scenes: about how many images each data set is tested on.
        drawing: told how many scenes of how many are drawn.
        report: told of the progress of the runs.

    Raises:
        OvrisisBenchError: the folder cannot be written, or holds other data of the same names.
    """
    from ovrisisbench.demo.demonstration import demonstrate

    return demonstrate(Path(to), scenes=scenes, drawing=drawing, listener=report)
