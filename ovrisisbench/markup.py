"""Text that LaTeX and Markdown show as it is, for every file that is written from data."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["escape_latex", "escape_markdown", "latex_row"]

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "†": r"\textsuperscript{\dag}",
    "‡": r"\textsuperscript{\ddag}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_LATEX_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))


def escape_latex(text: str) -> str:
    r"""Return text that LaTeX prints as it is, on one line.

    Example:
        >>> print(escape_latex("50% of R&D_{x} ~ ^ \\"))
        50\% of R\&D\_\{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}
    """
    one_line = " ".join(text.split())
    return _LATEX_SPECIAL.sub(lambda found: _LATEX[found[0]], one_line)


def latex_row(cells: Sequence[str]) -> str:
    r"""Return the line of a LaTeX table without its end, from cells that are escaped already.

    A line break or rule above would take a ``[`` or ``*`` at its beginning for an argument of its own.

    Example:
        >>> print(latex_row(["[Model]", "1.0"]), latex_row(["Model", "1.0"]))
        {}[Model] & 1.0 Model & 1.0
    """
    line = " & ".join(cells)
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


def escape_markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is, on one line, also inside a table.

    Example:
        >>> print(escape_markdown("a|b <i> *x* & _y_"))
        a\|b &lt;i&gt; \*x\* &amp; \_y\_
    """
    one_line = " ".join(text.split())
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        one_line = one_line.replace(character, entity)
    return re.sub(r"([\\`*_{}\[\]|#~])", r"\\\1", one_line)
