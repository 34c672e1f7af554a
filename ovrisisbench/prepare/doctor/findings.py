"""What the doctor says: expected, found, the likely cause, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Finding", "Severity", "listed"]

Severity = Literal["error", "doubt", "partial", "warning"]
"""``error``: labels would be wrong, so nothing is written; ``doubt``: colours or shares say so, which can err and which
``--allow-doubtful`` accepts; ``partial``: images are missing, which ``--allow-partial`` accepts; ``warning``: unusual,
but right as far as can be told."""


class Finding(BaseModel):
    """One difference between a download and its card.

    Each text is a part of a sentence, without a capital at its beginning and
    without a full stop.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity
    subject: str
    """What was looked at: ``split val``, ``label values``, ``bands``."""
    expected: str
    found: str
    cause: str = ""
    """The likely cause; empty where none can be guessed."""
    remedy: str = ""
    """What to do; empty where nothing has to be done."""

    def sentence(self) -> str:
        """Return all of it as one sentence without its full stop.

        Example:
            >>> Finding(severity="warning", subject="split val", expected="40 images", found="41").sentence()
            'split val: expected 40 images, found 41'
        """
        words = f"{self.subject}: expected {self.expected}, found {self.found}"
        if self.cause:
            words += f", so {self.cause}"
        return f"{words}; {self.remedy}" if self.remedy else words


def listed(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
