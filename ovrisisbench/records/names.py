"""File names made from names that people chose."""

from __future__ import annotations

import re

__all__ = ["file_slug"]

_LONGEST = 48


def file_slug(name: str) -> str:
    """Return ``name`` as a part of a file name: lower case letters, digits, ``.`` and ``-``.

    Different names may give the same slug; whatever must be unique carries a digest as well.

    Example:
        >>> file_slug("ViT-L/14@336px")
        'vit-l-14-336px'
    """
    slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:_LONGEST].strip("-.")
    return slug or "unnamed"
