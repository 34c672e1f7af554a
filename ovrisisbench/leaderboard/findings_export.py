"""Conformance and audit as text: terminal, CSV, Markdown, LaTeX, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.leaderboard.audit import Check
from ovrisisbench.leaderboard.audit_rows import signed
from ovrisisbench.leaderboard.conformance import Comparison
from ovrisisbench.leaderboard.forms import Forms
from ovrisisbench.leaderboard.latex_template import latex_label
from ovrisisbench.leaderboard.model import MEAN, METRIC_NAMES
from ovrisisbench.leaderboard.numbers import percent_text
from ovrisisbench.leaderboard.text_table import TextTable, print_text_table, text_tables_latex, text_tables_markdown
from ovrisisbench.leaderboard.wording import MISSING
from ovrisisbench.records.json_text import json_text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "audit_json",
    "audit_tables_text",
    "check_findings_export",
    "conformance_json",
    "conformance_tables",
    "export_audit",
    "export_conformance",
    "print_tables",
]

_MEANING = (
    "The interval is about other scenes of the same kind, not about another training run; a published figure outside "
    "it was reached with other weights, other data or other rules."
)
_PACKAGES = "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n"


def check_findings_export(path: Path) -> None:
    """Refuse a file name whose suffix no export goes with; call it before long work.

    Raises:
        RecordError: lists the suffixes there are.
    """
    _CONFORMANCE.check(path)  # the audit has the same forms


def print_tables(tables: Sequence[TextTable], console: Console) -> None:
    """Print tables one below the other."""
    for table in tables:
        print_text_table(table, console)
        console.print()


def conformance_tables(found: Sequence[Comparison]) -> tuple[TextTable, ...]:
    """Return a table for each measured row and published table, the last one with what intervals mean."""
    tables = []
    groups = [list(own) for _, own in groupby(found, key=_row_of)]
    for number, own in enumerate(groups, start=1):
        first = own[0]
        trained = f" trained on {first.trained}" if first.trained else ""
        counts = [f"{sum(one.verdict == verdict for one in own)} {verdict}" for verdict in _present(own)]
        tables.append(
            TextTable(
                name=latex_label(f"conformance-{first.table}-{first.protocol_id}-{number}"),
                title=f"{first.label} {first.backbone}{trained}, measured under {first.protocol} (id "
                f"{first.protocol_id}), metric convention {first.convention}, beside {first.source}: percent, "
                "with 95 % intervals over scenes",
                heads=("Data set", "Metric", "Published", "Measured", "Difference", "Interval", "Verdict"),
                align="llrrrrl",
                rows=tuple(map(_comparison, own)),
                rules=frozenset(index for index, one in enumerate(own) if one.dataset == MEAN and one.metric == "miou"),
                notes=(f"{len(own)} figures: {', '.join(counts)}.", *((_MEANING,) if number == len(groups) else ())),
            )
        )
    return tuple(tables)


def _row_of(one: Comparison) -> tuple[str, ...]:
    return (one.table, one.protocol_id, one.label, one.backbone, one.trained)


def _comparison(one: Comparison) -> tuple[str, ...]:
    interval = MISSING if one.interval is None else f"[{', '.join(percent_text(end) for end in one.interval)}]"
    return (
        one.dataset_title,
        METRIC_NAMES[one.metric],
        percent_text(one.published),
        percent_text(one.measured),
        signed(one.difference),
        interval,
        _verdict(one),
    )


def conformance_json(found: Sequence[Comparison]) -> str:
    """Return the JSON text: one object for each figure, percentages unrounded."""
    figures = [{**asdict(one), "difference": one.difference} for one in found]
    return json_text({"format": 1, "unit": "percent", "comparisons": figures})


def export_conformance(found: Sequence[Comparison], path: Path) -> None:
    """Write the comparisons as CSV, JSON, Markdown or LaTeX.

    Raises:
        RecordError: no export goes with the suffix of ``path``.
        OvrisisBenchError: the file cannot be written.
    """
    _CONFORMANCE.write(found, path)


def _conformance_csv(found: Sequence[Comparison]) -> str:
    columns = (
        "table",
        "protocol",
        "protocol_id",
        "convention",
        "model",
        "label",
        "backbone",
        "train_set",
        "dataset",
        "metric",
        "published",
        "measured",
        "difference",
        "low",
        "high",
        "verdict",
        "outside_by",
    )
    rows = [
        [
            *(getattr(one, name) or "" for name in columns[:10]),
            *map(_number, (one.published, one.measured, one.difference, *(one.interval or (None, None)))),
            one.verdict,
            _number(one.outside_by),
        ]
        for one in found
    ]
    return _csv([columns, *rows])


def audit_tables_text(checks: Sequence[Check]) -> tuple[TextTable, ...]:
    """Return a table of the questions, and one of the findings of each."""
    overview = TextTable(
        name="audit",
        title="Published tables, each question asked of all of them",
        heads=("Question", "Compared", "Differ"),
        align="lrr",
        rows=tuple(
            (
                check.question,
                f"{check.compared:,} {check.unit}",
                str(sum(finding.verdict == "differs" for finding in check.findings)),
            )
            for check in checks
        ),
    )
    findings = [
        TextTable(
            name=latex_label(f"audit-{check.name}"),
            title=f"{check.question} Figures stand as printed",
            heads=("Finding",),
            align="w",
            rows=tuple((f"{finding.subject}: {finding.sentence}",) for finding in check.findings),
            rules=frozenset(range(len(check.findings))),
        )
        for check in checks
        if check.findings
    ]
    return (overview, *findings)


def audit_json(checks: Sequence[Check]) -> str:
    """Return the JSON text: questions with their findings, figures unrounded."""
    content = [
        {
            **asdict(check),
            "findings": [{**asdict(finding), "difference": finding.difference} for finding in check.findings],
        }
        for check in checks
    ]
    return json_text({"format": 1, "checks": content})


def export_audit(checks: Sequence[Check], path: Path) -> None:
    """Write the audit as CSV (a line a finding), JSON, Markdown or LaTeX.

    Raises:
        RecordError: no export goes with the suffix of ``path``.
        OvrisisBenchError: the file cannot be written.
    """
    _AUDIT.write(checks, path)


def _audit_csv(checks: Sequence[Check]) -> str:
    columns = ("check", "subject", "verdict", "printed", "computed", "difference", "sentence")
    rows = [
        [
            check.name,
            finding.subject,
            finding.verdict,
            *(_number(value) for value in (finding.printed, finding.computed, finding.difference)),
            finding.sentence,
        ]
        for check in checks
        for finding in check.findings
    ]
    return _csv([columns, *rows])


def _csv(lines: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def _verdict(one: Comparison) -> str:
    if one.outside_by:
        return f"{one.verdict}, outside by {percent_text(one.outside_by)}"
    return {"within": "within", "no interval": "no interval", "incomplete": "not the whole data set"}.get(
        one.verdict, one.verdict
    )


def _present(found: Sequence[Comparison]) -> list[str]:
    order = ("within", "above", "below", "no interval", "incomplete")
    return [verdict for verdict in order if any(one.verdict == verdict for one in found)]


def _number(value: float | None) -> str:
    return "" if value is None else percent_text(value, 4)


_CONFORMANCE: Final = Forms[Sequence[Comparison]](
    {
        ".csv": _conformance_csv,
        ".json": conformance_json,
        ".md": lambda found: text_tables_markdown(conformance_tables(found)) + "\n",
        ".tex": lambda found: _PACKAGES + text_tables_latex(conformance_tables(found)),
    }
)

_AUDIT: Final = Forms[Sequence[Check]](
    {
        ".csv": _audit_csv,
        ".json": audit_json,
        ".md": lambda checks: text_tables_markdown(audit_tables_text(checks)) + "\n",
        ".tex": lambda checks: _PACKAGES + text_tables_latex(audit_tables_text(checks)),
    }
)
