"""Short ids derived from content: equal rules, equal id."""

from __future__ import annotations

import hashlib
import json

__all__ = ["content_digest", "short_id"]


def content_digest(content: object) -> str:
    """Return the sha256 of JSON-like content, independent of key order, 64 hex digits.

    Example:
        >>> content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1})
        True
    """
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def short_id(content: object) -> str:
    """Return the first eight hex digits of :func:`content_digest`, for printing beside a number."""
    return content_digest(content)[:8]
