r"""LaTeX templates whose delimiters are LaTeX commands, so that they read as LaTeX."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["latex_label", "render_latex"]


def render_latex(template: str, **content: Any) -> str:  # noqa: ANN401 - whatever the template names
    """Fill a template of this package; every value must be escaped already, since jinja2's own escaping is for HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ovrisisbench.leaderboard", "."),
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\#{",
        comment_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - that is for HTML; every value goes through escape_latex
    )
    return environment.get_template(template).render(**content)


def latex_label(name: str) -> str:
    r"""Return what may stand in a ``\label``.

    Example:
        >>> latex_label("ovrisisbench-v1+potsdam:grid-512")
        'ovrisisbench-v1-potsdam-grid-512'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)
