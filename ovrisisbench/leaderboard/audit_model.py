"""What an audit of published tables returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Check", "Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an audit came upon."""

    subject: str
    """Which rows, in words."""
    verdict: Literal["differs", "agrees"]
    printed: float | None = None
    """Percent, or another unit that ``sentence`` names; None where several figures are compared."""
    computed: float | None = None
    """What it should be by the other figures."""
    sentence: str

    @property
    def difference(self) -> float | None:
        """``printed`` minus ``computed``."""
        return None if self.printed is None or self.computed is None else self.printed - self.computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question that was put to all published tables."""

    name: str
    question: str
    compared: int
    """How many comparisons were made."""
    unit: str
    """What was compared."""
    findings: tuple[Finding, ...]
    """What is worth saying; where it is empty, everything that was compared agrees."""
