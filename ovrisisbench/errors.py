"""The errors a user can cause: one sentence each, saying what is wrong, where, and what to do.

The command line prints the sentence and exits with code 2; anything that is
not an :class:`OvrisisBenchError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AdapterError",
    "CatalogError",
    "CheckpointError",
    "DataError",
    "EvaluationError",
    "OvrisisBenchError",
    "RecordError",
    "TrainingError",
    "did_you_mean",
]


class OvrisisBenchError(Exception):
    """A mistake in the input or the surroundings; its text is one sentence for the user."""


class CatalogError(OvrisisBenchError):
    """A card, vocabulary or protocol that does not hold what it must."""


class DataError(OvrisisBenchError):
    """A download or a prepared data set that cannot be used as it is."""


class AdapterError(OvrisisBenchError):
    """A model that cannot be found, loaded or driven."""


class CheckpointError(OvrisisBenchError):
    """A file of weights that cannot be used for what was asked."""


class EvaluationError(OvrisisBenchError):
    """Scores, labels or a device that make a measurement impossible."""


class RecordError(OvrisisBenchError):
    """A result file that cannot be read, or whose figures contradict its counts."""


class TrainingError(OvrisisBenchError):
    """A recipe, a folder or a batch with which training cannot go on."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, or an empty string.

    Example:
        >>> did_you_mean("isiad", ["isaid", "dlrsd"])
        " Did you mean 'isaid'?"
        >>> did_you_mean("sentinel", ["isaid", "dlrsd"])
        ''
    """
    close = difflib.get_close_matches(wrong.lower(), list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
