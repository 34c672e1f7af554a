"""How sure a fact in a card is."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["UNCERTAIN", "Evidence", "evidence_words"]

Evidence = Literal["primary", "code", "experiment", "third-party", "inference", "memory"]
"""Where a fact comes from, from the surest to the least sure."""

UNCERTAIN: frozenset[str] = frozenset({"inference", "memory"})
"""Evidence that a real download has still to confirm."""

_WORDS: dict[str, str] = {
    "primary": "stated by the publisher",
    "code": "read in published code",
    "experiment": "recovered by experiment on real files",
    "third-party": "stated by an independent user of the data",
    "inference": "inferred, not confirmed on a real download",
    "memory": "recalled from the literature, not confirmed",
}
assert set(_WORDS) == set(get_args(Evidence))  # noqa: S101 - a typo here is a bug of ours, caught at import


def evidence_words(evidence: Evidence) -> str:
    """Return the plain words for a kind of evidence.

    Example:
        >>> evidence_words("memory")
        'recalled from the literature, not confirmed'
    """
    return _WORDS[evidence]
