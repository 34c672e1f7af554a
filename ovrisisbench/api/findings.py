"""Findings in a row, each an ordinary tuple that a notebook shows as the terminal does."""

from __future__ import annotations

from ovrisisbench.leaderboard.audit import Check
from ovrisisbench.leaderboard.conformance import Comparison
from ovrisisbench.leaderboard.speed_table import SpeedSection
from ovrisisbench.notebook import as_html

__all__ = ["Audit", "Conformance", "SpeedTable"]


class Conformance(tuple[Comparison, ...]):
    """Measured figures beside published ones, by table, row and column."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from ovrisisbench.leaderboard.findings_export import conformance_tables, print_tables

        return as_html(lambda console: print_tables(conformance_tables(self), console))


class Audit(tuple[Check, ...]):
    """The questions that were put to all published tables, with their findings."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from ovrisisbench.leaderboard.findings_export import audit_tables_text, print_tables

        return as_html(lambda console: print_tables(audit_tables_text(self), console))


class SpeedTable(tuple[SpeedSection, ...]):
    """The table of speed: measured sections, then published ones."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from ovrisisbench.leaderboard.speed_export import print_speed

        return as_html(lambda console: print_speed(self, console))
