"""Bringing images and masks together by name, never by their order in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.sources import Entry
from ovrisisbench.prepare.storage.manifest import natural_key

__all__ = ["Key", "Paired", "index_unique", "pair_up", "split_named", "split_of"]

Key = tuple[str, str]
"""(split, name)"""

_SPLIT_WORDS: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Paired:
    """Images with their masks, and what is left over on both sides."""

    pairs: tuple[tuple[Key, Entry, Entry], ...]
    """(key, image, mask) in natural order of the names."""
    images_without_mask: tuple[str, ...]
    masks_without_image: tuple[str, ...]


def split_of(entry: Entry) -> str | None:
    """Return ``train``, ``val`` or ``test`` as a folder or archive in the path says, or None.

    The innermost folder or archive whose name has one of these words decides;
    ``training``, ``valid``, ``validation`` and ``testing`` count as well. A
    word is bounded by anything but letters: ``DOTA-v1.0_train`` says train,
    ``trainval`` and ``train_val`` say nothing.
    """
    for folder in reversed(entry.folders):
        words = re.findall(r"[a-z]+", folder.lower())
        found = {_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def split_named(word: str) -> str | None:
    """Return the split that a word such as ``Valid`` stands for, or None.

    Example:
        >>> split_named("Valid"), split_named("images")
        ('val', None)
    """
    return _SPLIT_WORDS.get(word.lower())


def index_unique(entries: Iterable[tuple[Key, Entry]], *, what: str) -> tuple[dict[Key, Entry], int]:
    """Index files by split and name, each of which may occur once.

    An archive that lies beside its own unpacked files is common: two files of
    equal size and CRC-32 count as one, and the one outside an archive is kept.

    Args:
        entries: (key, file) pairs.
        what: ``image`` or ``mask``, for the error text.

    Returns:
        The index, and how many copies were left out.

    Raises:
        DataError: two different files claim the same split and name.
    """
    index: dict[Key, Entry] = {}
    copies = 0
    for key, entry in entries:
        other = index.setdefault(key, entry)
        if other is entry:
            continue
        if other.size != entry.size or other.crc32() != entry.crc32():
            raise DataError(
                f"The {what} of {key[1]} ({key[0]}) is there twice with different content: {other.path} and "
                f"{entry.path}; move one of them away."
            )
        copies += 1
        if other.member is not None and entry.member is None:
            index[key] = entry
    return index, copies


def pair_up(images: Mapping[Key, Entry], masks: Mapping[Key, Entry]) -> Paired:
    """Pair images and masks of equal key.

    Raises:
        DataError: one name is paired in two splits.
    """
    both = sorted(images.keys() & masks.keys(), key=_order)
    split_by_name: dict[str, str] = {}
    for split, name in both:
        other = split_by_name.setdefault(name, split)
        if other != split:
            raise DataError(
                f"{name} is there twice, in {other} and in {split} ({images[other, name].path}, "
                f"{images[split, name].path}); an image belongs to one split, so move one pair away."
            )
    return Paired(
        pairs=tuple((key, images[key], masks[key]) for key in both),
        images_without_mask=_names(images.keys() - masks.keys()),
        masks_without_image=_names(masks.keys() - images.keys()),
    )


def _order(key: Key) -> tuple[object, ...]:
    return (natural_key(key[1]), key[0])


def _names(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(f"{split}/{name}" for split, name in sorted(keys, key=_order))
