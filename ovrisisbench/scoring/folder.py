"""A folder of predictions: which file belongs to which image, and what is missing or left over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.errors import DataError, did_you_mean
from ovrisisbench.prepare.windows import Box

if TYPE_CHECKING:
    from ovrisisbench.prepare import Sample

__all__ = ["ENDINGS", "FoundFile", "Matched", "extra_sentence", "match_files", "missing_sentence", "shortened"]

ENDINGS: Final = (".png", ".tif", ".tiff", ".npz", ".npy")
"""Of files that are read; all others are left alone."""
_NAMED: Final = 5
_WINDOW = re.compile(r"(.+)_(\d+)_(\d+)_(\d+)_(\d+)")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """The file that holds the prediction of one image."""

    path: Path
    box: Box | None = None
    """The part of it that shows the image, where the file is about a whole scene; None for all of it."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Which files are scored, and what did not fit."""

    files: Mapping[str, FoundFile]
    """By image id, in the order of the images."""
    missing: tuple[str, ...]
    """Ids of images without a file."""
    untested: int
    """Files of images that the data set has, but the protocol does not test."""
    extra: tuple[str, ...]
    """Names of files that belong to no image of the data set."""


def match_files(folder: Path, samples: Sequence[Sample], tested: Sequence[int]) -> Matched:
    """Find the prediction of each image by its name, in the folder and all below it.

    The stem of a file is the id of an image. Where images are windows, ids end in ``_y0_y1_x0_x1``; a file that is
    named as the scene alone holds the whole scene, and its windows are cut out of it.

    Args:
        folder: the predictions.
        samples: all images of the prepared data set.
        tested: indices of those that the protocol tests.

    Raises:
        DataError: no such folder, nothing to read in it, or two files of one name.
    """
    stems = _by_stem(folder)
    used: set[str] = set()
    files: dict[str, FoundFile] = {}
    wanted = {samples[index].id for index in tested}
    for sample in samples:
        found = _found(sample, stems)
        if found is not None:
            used.add(found.path.stem)
            files[sample.id] = found
    scored = {samples[index].id: files[samples[index].id] for index in tested if samples[index].id in files}
    busy = {found.path.stem for found in scored.values()}
    return Matched(
        files=scored,
        missing=tuple(samples[index].id for index in tested if samples[index].id not in files),
        untested=len({found.path.stem for sample_id, found in files.items() if sample_id not in wanted} - busy),
        extra=tuple(path.name for stem, path in stems.items() if stem not in used),
    )


def missing_sentence(folder: Path, matched: Matched, dataset: str) -> str:
    """Say which images have no file."""
    total = len(matched.files) + len(matched.missing)
    hint = did_you_mean(matched.missing[0], [Path(name).stem for name in matched.extra])
    return (
        f"{folder} has no file for {len(matched.missing):,} of {total:,} images of {dataset} "
        f"({shortened(matched.missing)}); the stem of a file is the id of its image, or go on with --allow-missing, "
        f"which marks the record as partial.{hint}"
    )


def extra_sentence(folder: Path, matched: Matched, dataset: str) -> str:
    """Say which files belong to no image."""
    return (
        f"{folder} holds {len(matched.extra):,} file(s) that belong to no image of {dataset} "
        f"({shortened(matched.extra)}); move them away, or leave them out of account with --allow-extra."
    )


def shortened(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are.

    Example:
        >>> shortened(["a", "b", "c", "d", "e", "f", "g"])
        'a, b, c, d, e and 2 more'
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; say with --predictions where the predictions are.")
    stems: dict[str, Path] = {}
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    for path in sorted(paths):
        first = stems.setdefault(path.stem, path)
        if first != path:
            raise DataError(
                f"{first} and {path} are two predictions of one image, '{path.stem}'; move one of them out of {folder}."
            )
    if not stems:
        raise DataError(f"{folder} holds no predictions: files that are read end in {', '.join(ENDINGS)}.")
    return stems


def _found(sample: Sample, stems: Mapping[str, Path]) -> FoundFile | None:
    if sample.id in stems:
        return FoundFile(stems[sample.id])
    named = _WINDOW.fullmatch(sample.id)
    if named is None or named[1] not in stems:
        return None
    box = Box(*(int(number) for number in named.groups()[1:]))
    if (box.height, box.width) != (sample.height, sample.width):
        return None
    return FoundFile(stems[named[1]], box)
