"""Layouts that a card describes by patterns: which files are images, which are masks, and what pairs them.

This reads the authors' bundle of every data set and most publishers'
downloads; a layout that needs more than patterns has a reader of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from ovrisisbench.catalog.cards import DatasetCard, Layout, Variant, WindowRule
from ovrisisbench.prepare.download.pictures import Picture
from ovrisisbench.prepare.download.sources import Entry, Source
from ovrisisbench.prepare.layouts.interface import ALL, Expected, NotRecognised, Pair, Recognised, make_units, scene_of
from ovrisisbench.prepare.layouts.labels import LabelMap, label_map_of
from ovrisisbench.prepare.layouts.pairing import Key, index_unique, pair_up, split_named

__all__ = ["CardLayout", "Files", "matching_files", "pair_files"]

_WINDOW: Final = re.compile(r"_(\d+)_(\d+)_(\d+)_(\d+)")


class Files(NamedTuple):
    """Files that match a layout, by what they are."""

    images: list[tuple[Key, Entry]]
    masks: list[tuple[Key, Entry]]


class CardLayout:
    """The reader of one layout that its card describes by patterns.

    Args:
        dataset: key of the card.
        layout: name of the layout.
    """

    def __init__(self, dataset: str, layout: str) -> None:
        self.dataset = dataset
        self.layout = layout

    def recognise(self, source: Source, card: DatasetCard, variant: Variant) -> Recognised | NotRecognised:
        """Find images and masks by the card's patterns; see :class:`LayoutReader`."""
        layout = card.layout(self.layout)
        files = Files(matching_files(source, layout.images), matching_files(source, layout.masks))
        if not files.images or not files.masks:
            return NotRecognised("; ".join([_missing(files, layout), *_passed_over(source, layout)]))
        return pair_files(files, source, card, variant, layout)

    def expected(self, card: DatasetCard, variant: Variant, found: Recognised) -> Mapping[str, Expected]:
        """Return the files of a complete download, where the card knows them."""
        # A variant of one layout alone has counts of its files, unless they have still to be cut into windows.
        if card.layout(self.layout).is_cut or (variant.layouts and variant.windows is None):
            counts = {ALL: variant.total} if ALL in found.counts else dict(variant.counts)
            return {
                split: Expected(count, variant.counts_evidence) for split, count in counts.items() if count is not None
            }
        return _expected_files(card, variant, found)

    def labels(self, mask: Picture, card: DatasetCard, variant: Variant) -> LabelMap:
        """Return the label map of one mask, as the layout says what masks hold."""
        return label_map_of(mask, card, variant, card.layout(self.layout))


def _expected_files(card: DatasetCard, variant: Variant, found: Recognised) -> dict[str, Expected]:
    """Return how many labelled images of the publisher a complete download has, by split and in all.

    Args:
        card: with the publisher's splits.
        variant: with the splits that it uses, and their sum where only that is known.
        found: the sum is compared where its images do not tell their splits.
    """
    splits = [split for split in card.splits if split.name in _used_splits(card, variant)]
    known = {split.name: Expected(split.labelled, split.evidence) for split in splits if split.labelled is not None}
    whole = variant.total if variant.windows is None else None
    if ALL in found.counts:
        if len(known) == len(splits):
            return {ALL: Expected(sum(split.images for split in known.values()), splits[0].evidence)}
        return {} if whole is None else {ALL: Expected(whole, variant.counts_evidence)}
    if len(known) < len(splits) and whole is not None:
        known[ALL] = Expected(whole, variant.counts_evidence)
    return known


def _used_splits(card: DatasetCard, variant: Variant) -> frozenset[str]:
    """Return the publisher's splits that a variant takes its images from."""
    if variant.counts and ALL not in variant.counts:
        return frozenset(variant.counts)
    return frozenset(split.name for split in card.splits if split.labelled != 0)


def matching_files(source: Source, patterns: Sequence[str]) -> list[tuple[Key, Entry]]:
    """Return the pictures whose path ends as one of the patterns says, with (split, name).

    Args:
        source: all files.
        patterns: see :class:`~ovrisisbench.catalog.cards.Layout`; the first that fits counts.
    """
    compiled = [_compiled(pattern) for pattern in patterns]
    found = []
    for path, entry in source.pictures:
        match = next((match for pattern in compiled if (match := pattern.search(path))), None)
        if match:
            found.append(((_split(match), _name(match)), entry))
    return found


def pair_files(
    files: Files,
    source: Source,
    card: DatasetCard,
    variant: Variant,
    layout: Layout,
    *,
    extra_bands: int = 0,
    notes: Iterable[str] = (),
) -> Recognised:
    """Pair the files of a layout and say what was left out.

    Args:
        files: with their keys.
        source: all files, for those that the card passes over.
        card: the data set.
        variant: with the splits that are used.
        layout: that the files were found by.
        extra_bands: see :class:`~ovrisisbench.prepare.layouts.interface.Pair`.
        notes: what was noticed before.
    """
    remarks = [*notes]
    sorted_files = [[(_known_split(key, card), entry) for key, entry in kind] for kind in files]
    if _repeats(sorted_files):
        sorted_files = [[item for item in kind if item[0][0] != ALL] for kind in sorted_files]
        remarks.append("Folders without splits repeat the images of those with splits and were not read.")
    used = _used_splits(card, variant) | {ALL}
    tables: list[dict[Key, Entry]] = []
    for what, kind in zip(("image", "mask"), sorted_files, strict=True):
        table, copies = index_unique([item for item in kind if item[0][0] in used], what=what)
        tables.append(table)
        if copies:
            remarks.append(f"{copies} {what}(s) lie both in an archive and unpacked; each was read once.")
        left_out = len({key for key, _ in kind if key[0] not in used})
        if left_out:
            remarks.append(f"{left_out} {what}(s) of splits that are not evaluated were left out.")
    paired = pair_up(*tables)
    cut = layout.is_cut
    rule = variant.windows if cut else None
    pairs = [
        Pair(name, split, scene_of(name, card), image, mask, _named_size(name, card, rule), extra_bands)
        for (split, name), image, mask in paired.pairs
    ]
    if any(pair.split == ALL for pair in pairs) and any("(?P<split>" in pattern for pattern in layout.images):
        remarks.append(
            "The folder does not tell the images of one split from another's: held-out images cannot be told apart."
        )
    masks_alone = paired.masks_without_image
    if masks_alone and layout.has_extra_masks:
        remarks.append(f"{len(masks_alone)} mask(s) have no image and were left out, as in every known copy.")
        masks_alone = ()
    return Recognised(
        units=make_units(sorted(pairs, key=lambda pair: pair.scene) if cut else pairs),
        images_without_mask=paired.images_without_mask,
        masks_without_image=masks_alone,
        notes=(*remarks, *_passed_over(source, layout), *_odd_endings(tables[0].values(), layout)),
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|/)(?:{pattern})$", re.IGNORECASE)


def _split(match: re.Match[str]) -> str:
    word = match.groupdict().get("split")
    return (split_named(word) or word) if word else ALL


def _name(match: re.Match[str]) -> str:
    special = match.re.groupindex.values()
    parts = (part for number, part in enumerate(match.groups(), 1) if part and number not in special)
    return "_".join(part.strip("_") for part in parts if part.strip("_"))


def _known_split(key: Key, card: DatasetCard) -> Key:
    """Let the publisher's lists of scenes tell the split where folders do not."""
    split, name = key
    if split == ALL:
        scene = scene_of(name, card)
        split = next((known.name for known in card.splits if scene in known.ids or _matches(known.names, name)), ALL)
    return split, name


def _matches(pattern: str, name: str) -> bool:
    return bool(pattern) and re.fullmatch(pattern, name) is not None


def _repeats(kinds: Sequence[Sequence[tuple[Key, Entry]]]) -> bool:
    return all(len({key[0] == ALL for key, _ in kind}) == 2 for kind in kinds)


def _named_size(name: str, card: DatasetCard, rule: WindowRule | None) -> tuple[int, int] | None:
    """Return the size that ``y0_y1_x0_x1`` behind the scene promises; other numbers promise nothing."""
    scene = re.search(card.scene_pattern, name)
    window = _WINDOW.fullmatch(name[scene.end() :]) if scene else None
    if window is None or rule is None:
        return None
    y0, y1, x0, x1 = (int(number) for number in window.groups())
    return (rule.size, rule.size) if y1 - y0 == x1 - x0 == rule.size else None


def _missing(files: Files, layout: Layout) -> str:
    images, masks = len(files.images), len(files.masks)
    if images:
        return f"{images} image(s), but no mask; expected {layout.paths[-1]}"
    if masks:
        return f"{masks} mask(s), but no image; expected {layout.paths[0]}"
    return f"neither images nor masks; expected {' and '.join(layout.paths[:2])}"


def _passed_over(source: Source, layout: Layout) -> list[str]:
    notes = []
    for other in layout.passed_over:
        count = len(matching_files(source, [other.pattern]))
        if count:
            notes.append(f"{count} file(s) were passed over: {other.why}")
    return notes


def _odd_endings(images: Iterable[Entry], layout: Layout) -> list[str]:
    """Note files that the published code, which compares endings letter by letter, would not see."""
    published = {path.rpartition(".")[2] for path in layout.paths}
    odd: dict[str, int] = {}
    for entry in images:
        ending = entry.name.rpartition(".")[2]
        if ending not in published and ending.lower() in {known.lower() for known in published}:
            odd[ending] = odd.get(ending, 0) + 1
    return [
        f"{count} image(s) end in .{ending}, not as published; they were read, but code that compares endings letter "
        "by letter passes over them."
        for ending, count in sorted(odd.items())
    ]
