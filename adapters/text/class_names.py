"""What a model makes of a class name before it is put into a prompt.

Every function here is one official code's rule; each refuses what would prompt
a model with nothing.
"""

from __future__ import annotations

from ovrisisbench.errors import AdapterError

__all__ = ["as_written", "first_synonym", "query_words", "synonyms"]


def as_written(name: str) -> str:
    """Take the whole name, without the white space around it (SAN, SCAN).

    Raises:
        AdapterError: nothing is left.

    Example:
        >>> as_written(" Clutter/background, other ")
        'Clutter/background, other'
    """
    return _spoken(name.strip(), name)


def first_synonym(name: str) -> str:
    """Take what stands before the first comma with a space (the CAT-Seg family).

    Raises:
        AdapterError: nothing stands there.

    Example:
        >>> first_synonym("building, house"), first_synonym("road,street")
        ('building', 'road,street')
    """
    return _spoken(name.split(", ", maxsplit=1)[0], name)


def synonyms(name: str) -> tuple[str, ...]:
    """Split at every comma with a space (SED); the vectors of the parts are averaged.

    Raises:
        AdapterError: an empty part.

    Example:
        >>> synonyms("building, house"), synonyms("road,street")
        (('building', 'house'), ('road,street',))
    """
    return tuple(_spoken(part, name) for part in name.split(", "))


def query_words(name: str) -> tuple[str, ...]:
    """Split at every comma (SegEarth-OV); each part is a query of its own.

    Spaces around a part stay; the tokeniser drops them at the end of a prompt
    and squeezes them elsewhere.

    Raises:
        AdapterError: an empty part.

    Example:
        >>> query_words("clutter,background")
        ('clutter', 'background')
    """
    return tuple(_spoken(part, name) for part in name.split(","))


def _spoken(part: str, name: str) -> str:
    if not part.strip():
        raise AdapterError(
            f"The class name {name!r} leaves a prompt without a name; write it without empty parts between commas."
        )
    return part
