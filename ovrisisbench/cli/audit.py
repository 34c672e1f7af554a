"""``ovrisis-bench audit``: whether published tables agree with themselves and with each other."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("audit")
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the findings to a .csv, .json, .md or .tex file; may be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(exports: tuple[Path, ...], as_json: bool) -> None:
    """Audit the published tables: printed means, rows that should agree, the depth of the main table.

    Every finding is computed from the published records; nothing is corrected.
    """
    from rich.console import Console

    from ovrisisbench.api.tables import audit
    from ovrisisbench.leaderboard.findings_export import audit_json, audit_tables_text, print_tables

    checks = audit(export=exports)
    for path in exports:
        click.echo(f"Wrote {path}", err=True)
    if as_json:
        click.echo(audit_json(checks), nl=False)
        return
    print_tables(audit_tables_text(checks), Console(highlight=False))
