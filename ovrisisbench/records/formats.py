"""Versions of the record format: what older files need to be read as the newest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ovrisisbench.errors import RecordError
from ovrisisbench.records.schema import FORMAT

__all__ = ["upgraded"]

Content = dict[str, Any]


def _may_know_what_training_has_seen(content: Content) -> Content:
    # Version 2 added dataset.seen_in_training, which may be missing.
    return content


def _may_name_files_beside_the_checkpoint(content: Content) -> Content:
    # Version 3 added model.beside, which may be missing.
    return content


def _may_be_scored_predictions(content: Content) -> Content:
    # Version 4 added predictions, which may be missing, and the words for them in model.kind and model.weights.
    return content


_STEPS: Mapping[int, Callable[[Content], Content]] = {
    1: _may_know_what_training_has_seen,
    2: _may_name_files_beside_the_checkpoint,
    3: _may_be_scored_predictions,
}
"""Version -> function that turns content of that version into content of the next one.

A change of the format adds its step here and a real file of the old format to ``tests/records/historic``.
"""


def upgraded(content: object, *, where: str) -> Content:
    """Return the content of a record file in the newest format.

    Args:
        content: the parsed JSON.
        where: the file, as the user knows it.

    Raises:
        RecordError: not a record at all, or written by a newer version of this package.
    """
    if not isinstance(content, dict) or "format" not in content or "kind" not in content:
        raise RecordError(f"{where} is not a record of ovrisis-bench (no 'format' or no 'kind'); move it elsewhere.")
    version = content["format"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise RecordError(f"{where}: field 'format': must be a whole number from 1 to {FORMAT}, but is {version!r}.")
    if version > FORMAT:
        raise RecordError(
            f"{where} has record format {version}, but this ovrisisbench reads formats up to {FORMAT}; "
            "install a newer version of it."
        )
    for step in range(version, FORMAT):
        content = {**_STEPS[step](content), "format": step + 1}
    return content
