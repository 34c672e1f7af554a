"""``ovrisis-bench check-record``: whether records and their counts hold together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from ovrisisbench.records.checking import CheckedRecord

__all__ = ["command"]


@click.command(name="check-record")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@json_option
def command(paths: tuple[Path, ...], as_json: bool) -> int:
    """Check records before they are shared: files, or folders at PATHS.

    Computes every figure again from the counts, compares sums and digests,
    protocol and vocabulary with the installed cards, and looks for paths and
    hosts. Says what a contribution still lacks. Exit code 0 when nothing is
    wrong, else 1.
    """
    from ovrisisbench.api.records import check_record

    found = check_record(*paths)
    if as_json:
        print_json(
            {
                "right": found.is_right,
                "problems": list(found.problems),
                "lacks": list(found.lacks),
                "records": [_json(one) for one in found.records],
            }
        )
        return 0 if found.is_right else 1
    out = console()
    for one in found.records:
        state = "wrong" if one.problems else "right"
        out.print(f"{one.path}  {state}" + (f": {'; '.join(one.checked)}" if one.checked else ""), **_PLAIN)
        for sentence in one.problems:
            out.print(f"    wrong: {sentence}", **_PLAIN)
        for sentence in one.remarks:
            out.print(f"    note: {sentence}", **_PLAIN)
    for sentence in found.problems:
        out.print(f"wrong: {sentence}", **_PLAIN)
    for sentence in found.lacks:
        out.print(f"lacks: {sentence}", **_PLAIN)
    wrong = sum(bool(one.problems) for one in found.records)
    out.print(f"{len(found.records):,} record(s), {wrong:,} wrong", **_PLAIN)
    return 0 if found.is_right else 1


_PLAIN: dict[str, Any] = {"soft_wrap": True, "markup": False}


def _json(one: CheckedRecord) -> dict[str, Any]:
    return {
        "file": str(one.path),
        "stem": None if one.record is None else one.record.stem,
        "problems": list(one.problems),
        "notes": list(one.remarks),
        "checked": list(one.checked),
    }
