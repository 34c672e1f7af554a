"""Records -> one table, printed in the terminal or written as CSV, JSON, Markdown or LaTeX."""

from ovrisisbench.leaderboard.export import check_export, export_leaderboard
from ovrisisbench.leaderboard.intervals import counts_beside
from ovrisisbench.leaderboard.json_export import leaderboard_json
from ovrisisbench.leaderboard.model import Block, Cell, Contamination, Leaderboard, Row, Section
from ovrisisbench.leaderboard.table import leaderboard_table
from ovrisisbench.leaderboard.terminal import print_leaderboard

__all__ = [
    "Block",
    "Cell",
    "Contamination",
    "Leaderboard",
    "Row",
    "Section",
    "check_export",
    "counts_beside",
    "export_leaderboard",
    "leaderboard_json",
    "leaderboard_table",
    "print_leaderboard",
]
