"""Tables in a terminal that never lose a figure to a narrow window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["plain_table", "print_whole"]

_UNBOUNDED = 10_000


def plain_table() -> Table:
    """Return an empty table without lines."""
    from rich.table import Table

    return Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def print_whole(table: Table, console: Console) -> None:
    """Print a table in full width: rich would cut figures to fit, and a line that the terminal wraps is better."""
    from rich.measure import Measurement
    from rich.segment import Segments

    from ovrisisbench.notebook import HtmlConsole

    if isinstance(console, HtmlConsole):  # a page scrolls
        console.print(table)
        return
    minimum = Measurement.get(console, console.options.update(width=_UNBOUNDED), table).minimum
    options = console.options.update(width=max(console.width, minimum))
    console.print(Segments(console.render(table, options)), end="", crop=False, soft_wrap=True)
