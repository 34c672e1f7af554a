"""Records -> one table, printed in the terminal or written as CSV, JSON, Markdown or LaTeX."""

from ovrisisbench.leaderboard.export import check_export, export_leaderboard
from ovrisisbench.leaderboard.json_export import leaderboard_json
from ovrisisbench.leaderboard.model import Block, Cell, Leaderboard, Row, Section
from ovrisisbench.leaderboard.table import leaderboard_table
from ovrisisbench.leaderboard.terminal import print_leaderboard

__all__ = [
    "Block",
    "Cell",
    "Leaderboard",
    "Row",
    "Section",
    "check_export",
    "export_leaderboard",
    "leaderboard_json",
    "leaderboard_table",
    "print_leaderboard",
]
