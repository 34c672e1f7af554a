"""What one may want to hear while predictions are scored."""

from __future__ import annotations

__all__ = ["ScoreReport"]


class ScoreReport:
    """What a caller of :func:`~ovrisisbench.scoring.score` may want to hear; override what is of interest."""

    def note(self, sentence: str) -> None:
        """Be told what was decided for want of a word, or left out of account."""

    def progress(self, finished: int, wanted: int) -> None:
        """Be told how many images are counted."""
