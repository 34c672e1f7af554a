"""Backbone families: sizes that the field compares with each other."""

from __future__ import annotations

import re

__all__ = ["backbone_family", "family_order"]

_SIZES = {"tiny": "T", "small": "S", "base": "B", "large": "L", "huge": "H", "giant": "G"}
_LETTERS = tuple(_SIZES.values())
_SIZE = re.compile(rf"[-_/ ]({'|'.join(_SIZES)}|[{''.join(_LETTERS).lower()}])(?=$|[-_/ @.,0-9])")


def backbone_family(backbone: str) -> str:
    """Return the size letter of a backbone, or its own name where it has none.

    ViT-B and ConvNeXt-B are one family, as in the paper's table 1.

    Example:
        >>> [backbone_family(name) for name in ("ViT-B", "vit-b", "ConvNeXt-L", "vit_large_patch14", "RN50")]
        ['B', 'B', 'L', 'L', 'RN50']
    """
    found = _SIZE.search(backbone.lower())
    if found is None:
        return backbone
    return _SIZES.get(found[1], found[1].upper())


def family_order(family: str) -> tuple[int, str]:
    """Return a sort key: sizes from tiny to giant, then names."""
    return (_LETTERS.index(family) if family in _LETTERS else len(_LETTERS), family)
