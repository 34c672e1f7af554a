"""Templates to text; everything that comes from records, cards or data is escaped."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["ASSETS", "asset", "render", "script_json"]

ASSETS: Final = (
    "report.css",
    "theme.js",
    "tables.js",
    "provenance.js",
    "confusion.js",
    "maps.js",
    "images.js",
    "compare.js",
)

_UNSAFE: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script_json(content: object) -> str:
    r"""Return JSON that stays inside its ``<script>`` element, whatever its texts hold.

    Example:
        >>> script_json({"name": "</script><b>"})
        '{"name":"\\u003c/script\\u003e\\u003cb\\u003e"}'
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escaped in _UNSAFE.items():
        text = text.replace(character, escaped)
    return text


def render(template: str, *, root: str, page: str, **content: Any) -> str:  # noqa: ANN401 - what the template asks for
    """Render one page.

    Args:
        template: name without ``.html.jinja``.
        root: way from the page to the top of the report, empty or ``../`` and so on.
        page: which entry of the navigation is the present one.
        **content: variables of the template.
    """
    return _environment().get_template(f"templates/{template}.html.jinja").render(root=root, page=page, **content)


def asset(name: str) -> str:
    """Return the text of a style sheet or script."""
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - set below
    return environment.loader.get_source(environment, f"assets/{name}")[0]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("ovrisisbench.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["script_json"] = lambda content: Markup(script_json(content))  # noqa: S704 - escaped there
    environment.filters["svg"] = Markup  # made by scatter.py, which escapes
    return environment
