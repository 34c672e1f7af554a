"""``ovrisis-bench check-adapter``: the contract test for anybody's adapter."""

from __future__ import annotations

from dataclasses import asdict

import click

from ovrisisbench.benchmark import Loading
from ovrisisbench.cli.loading import loading_options
from ovrisisbench.cli.output import console, json_option, print_json

__all__ = ["command"]


@click.command(name="check-adapter")
@click.argument("model")
@loading_options
@json_option
def command(*, model: str, loading: Loading, as_json: bool) -> int:
    """Test whether MODEL (a name, or file.py:Class) keeps the adapter contract.

    Needs no data. Exit code 0 when every check passes, else 1.
    """
    from ovrisisbench.adapter.registry import find_adapter
    from ovrisisbench.api.models import check_adapter

    found = find_adapter(model)
    checks = check_adapter(model, **loading)
    passed = all(check.passed for check in checks)
    if as_json:
        print_json({"model": found.info.name, "passed": passed, "checks": [asdict(check) for check in checks]})
    else:
        from rich.markup import escape

        out = console()
        for check in checks:
            mark = "[green]ok[/green]  " if check.passed else "[red]FAIL[/red]"
            out.print(f"{mark} {escape(check.name)}" + (f": {escape(check.detail)}" if check.detail else ""))
        out.print(f"{sum(check.passed for check in checks)} of {len(checks)} checks passed for {found.info.name}.")
    return 0 if passed else 1
