"""JSON as we write it: the same content gives the same bytes, and a diff shows one row of a matrix a line."""

from __future__ import annotations

import json

__all__ = ["json_text"]


def json_text(content: object) -> str:
    """Return JSON with sorted keys, two-space indents, short lists on one line and a final newline.

    Floats are written with the fewest digits that read back as the same float.

    Args:
        content: dicts with text keys, lists, texts, numbers, booleans and None; no NaN.

    Raises:
        ValueError: a float that JSON cannot hold.

    Example:
        >>> print(json_text({"b": [[1, 2], [3, 4]], "a": 0.5}), end="")
        {
          "a": 0.5,
          "b": [
            [1, 2],
            [3, 4]
          ]
        }
    """
    return _text(content, "") + "\n"


def _text(content: object, indent: str) -> str:
    inner = indent + "  "
    if isinstance(content, dict) and content:
        entries = [f"{_scalar(key)}: {_text(content[key], inner)}" for key in sorted(content)]
        opening, closing = "{", "}"
    elif isinstance(content, list | tuple) and any(isinstance(entry, dict | list | tuple) for entry in content):
        entries = [_text(entry, inner) for entry in content]
        opening, closing = "[", "]"
    else:
        return _scalar(content)
    joined = f",\n{inner}".join(entries)
    return f"{opening}\n{inner}{joined}\n{indent}{closing}"


def _scalar(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
