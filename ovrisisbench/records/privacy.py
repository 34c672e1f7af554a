"""What a record must not hold, because it is meant to be shared: paths, hosts, users."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["private_fields", "private_parts"]

_PATTERNS = (
    ("a path", re.compile(r"(?<![\w:/.<])~?/(?:[\w.+@-]+/)+[\w.+@-]*")),
    ("a path", re.compile(r"(?<![\w/])~[\w-]*/\w|\b[A-Za-z]:\\|\\\\\w+\\|file://")),
    ("a path", re.compile(r"(?<![\w:/.])/(?:home|Users|root|mnt|data|tmp|var|opt|work|scratch)\b")),
    ("an address", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")),
    ("an address", re.compile(r"\b(?:10|127|172|192)(?:\.\d{1,3}){3}\b")),
    ("a host", re.compile(r"\b[\w-]+\.(?:local|lan|internal|intranet|corp)\b")),
)
_COMMON = frozenset({"root", "user", "users", "admin", "ubuntu", "debian", "runner", "localhost", "test", "linux"})
"""Names of users and hosts that say nothing."""
_SHORTEST = 4


def private_parts(text: str) -> list[str]:
    """Return what in a text is private, in words; public web addresses are not.

    Example:
        >>> private_parts("weights of /srv/ann/best.pth")
        ["a path ('/srv/ann/best.pth')"]
        >>> private_parts("ViT-L/14@336px, https://github.com/LiBingyu01/RSKT-Seg")
        []
    """
    found: list[str] = []
    for what, pattern in _PATTERNS:
        match = pattern.search(text)
        if match and not any(entry.startswith(what) for entry in found):
            found.append(f"{what} ('{match[0]}')")
    for what, name in (("the name of this machine", platform.node()), ("the name of its user", _user())):
        telling = len(name) >= _SHORTEST and name.lower() not in _COMMON
        if telling and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            found.append(f"{what} ('{name}')")
    return found


def private_fields(content: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Return one entry for each field of JSON-like content that holds something private: its path, and what."""
    return [f"{path} holds {part}" for path, text in _texts(content, "") for part in private_parts(text)]


def _texts(content: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value
    if isinstance(content, str):
        yield path, content
    elif isinstance(content, dict):
        for key, value in content.items():
            inner = f"{path}.{key}" if path else str(key)
            yield f"the name of field {inner}", str(key)
            yield from _texts(value, inner)
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from _texts(value, f"{path}.{index}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in containers
        return ""
