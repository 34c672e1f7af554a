"""Whether pictures and label maps look as those of the data set should: sizes, shares, colours.

Nothing here is exact. Each check has a range that right data keep by a wide
margin and is silent with too few pixels. Even what it calls an error rests on
statistics, so it reaches the user as a doubt that can be overruled
(:func:`~ovrisisbench.prepare.doctor.contents.examine_contents`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Variant
from ovrisisbench.prepare.conversion.class_colours import ColourSum
from ovrisisbench.prepare.doctor.bands import LEAST_POOLED, examine_bands
from ovrisisbench.prepare.doctor.findings import Finding
from ovrisisbench.prepare.doctor.label_orders import LEAST_OF_A_CLASS, examine_orders, share_range_words

__all__ = ["OF_THE_WHOLE", "examine_appearance"]

OF_THE_WHOLE: Final = frozenset({"shares of the classes", "classes"})
"""Subjects of warnings that mean something only if no image is missing."""

LEAST_PIXELS: Final = 100_000
"""Labelled pixels below which shares say nothing: less than two windows of 256 pixels a side."""
BLACK: Final = 40.0
"""Mean brightness, 0..255, up to which pixels count as black: deep shadow and dark water are about 40."""
COMMON: Final = 0.01
"""Share from which a label that should be black is worth looking at."""
PAINTED: Final = 3.0
"""Difference from the class colour, 0..255, that the mean of a painted class may have at blurred borders."""
SHOWN: Final = 3


def examine_appearance(  # noqa: PLR0917 - each is one plain quantity
    card: DatasetCard,
    variant: Variant,
    class_pixels: Sequence[int],
    ignored_pixels: int,
    colours: Mapping[int, ColourSum],
    sizes: Mapping[tuple[int, int], int],
) -> list[Finding]:
    """Compare converted data with the plausible ranges on their card.

    Args:
        card: with its ``checkup``.
        variant: with the index of each label and the plausible share of ignored pixels.
        class_pixels: pixels by label index, K of them.
        ignored_pixels: pixels with label 255.
        colours: label index -> sums over sampled pixels.
        sizes: (height, width) in pixels -> number of image files.

    Returns:
        What is unusual; errors where labels or bands are wrong beyond doubt. Where the order of the ids is wrong or
        doubtful, nothing is said that depends on it.
    """
    painted = _label_pictures(card, variant, colours)
    if painted:
        return [painted]
    order = examine_orders(card, variant, class_pixels, ignored_pixels, colours)
    ignored = _ignored(card, variant, class_pixels, ignored_pixels)
    found = [_sizes(card, sizes), order]
    if order is None:
        found += [ignored, _shares(card, variant, class_pixels), _absent(card, variant, class_pixels)]
        found.append(_dark(card, variant, class_pixels, ignored_pixels, colours))
        # Off by one, no label is what it is called; with full labels for eroded ones, it is.
        if ignored is None or ignored.severity != "error" or variant.mask_set:
            found.append(examine_bands(card, variant, colours))
    return [finding for finding in found if finding is not None]


def _label_pictures(card: DatasetCard, variant: Variant, colours: Mapping[int, ColourSum]) -> Finding | None:
    """Recognise label pictures in the place of images, where one file has overwritten another of the same name."""
    same = 0
    for label in card.classes:
        colour = colours.get(variant.index(label.name))
        if colour is None or colour.pixels < LEAST_OF_A_CLASS:
            continue
        if max(abs(mean - band) for mean, band in zip(colour.mean, label.colour, strict=True)) > PAINTED:
            return None
        same += 1
    if same < SHOWN:
        return None
    return Finding(
        severity="error",
        subject="images",
        expected="photographs",
        found=f"the class colours themselves in {same} classes",
        cause="the files are label pictures, which have overwritten the images of the same names",
        remedy="unpack the archives into folders of their own",
    )


def _sizes(card: DatasetCard, sizes: Mapping[tuple[int, int], int]) -> Finding | None:
    total = sum(sizes.values())
    if not total:
        return None
    common = sorted(sizes.items(), key=lambda item: -item[1])[:SHOWN]
    found = ", ".join(f"{height}x{width} ({count:,} of {total:,})" for (height, width), count in common)
    known = card.checkup.sizes
    right = sum(count for size, count in sizes.items() if size in known)
    if not known or right >= card.checkup.most_sizes * total:
        return None
    words = " or ".join(f"{height}x{width}" for height, width in known)
    return Finding(
        severity="warning",
        subject="image sizes",
        expected=f"{words} pixels (rows x columns)",
        found=found,
        cause="the images were resized or cropped, or are those of another data set",
    )


def _ignored(card: DatasetCard, variant: Variant, class_pixels: Sequence[int], ignored_pixels: int) -> Finding | None:
    total = sum(class_pixels) + ignored_pixels
    if variant.ignored_share is None or not total:
        return None
    least, most = variant.ignored_share
    share = ignored_pixels / total
    if least <= share <= most:
        return None
    severity, cause, remedy = "warning", "", ""
    if variant.mask_set == "full" and share > most:
        severity = "error"
        cause = "these are labels with eroded boundaries under the name of full ones"
        remedy = "use the full labels, or a variant with eroded ones"
    elif variant.mask_set == "eroded" and not ignored_pixels:
        severity = "error"
        cause = "these are full labels under the name of those with eroded boundaries"
        remedy = "use the labels with eroded boundaries (noBoundary), or a variant with full ones"
    elif not ignored_pixels:
        severity = "error"
        cause = (
            "unlabelled pixels were counted as a class: the masks probably hold 0 for unlabelled and ids that start "
            "at 1, and every class would be off by one"
        )
        remedy = "use the masks as published"
    elif not most and (lost := [label.name for label in card.classes if label.original_id == IGNORE_INDEX]):
        severity = "error"
        cause = f"these are the publisher's ids, in which {IGNORE_INDEX} is {lost[0]}, and not labels"
        remedy = "use masks that were turned into labels, or the publisher's in the publisher's layout"
    elif not most and not class_pixels[-1]:
        severity = "error"
        cause = "every value was reduced by one: the lowest class became 255 and the last one is gone"
        remedy = "use the masks before that reduction"
    return Finding(
        severity=severity,
        subject="ignored pixels",
        expected=share_range_words(least, most) if most else "none",
        found=_percent(share) if ignored_pixels else "not one",
        cause=cause,
        remedy=remedy,
    )


def _shares(card: DatasetCard, variant: Variant, class_pixels: Sequence[int]) -> Finding | None:
    total = sum(class_pixels)
    if total < LEAST_PIXELS:
        return None
    expected, found = [], []
    for label, (least, most) in card.checkup.shares.items():
        index = variant.labels[label]
        if index == "ignore" or not class_pixels[index]:
            continue
        share = class_pixels[index] / total
        if not least <= share <= most:
            expected.append(f"{label} {share_range_words(least, most)}")
            found.append(f"{label} {_percent(share)}")
    if not found:
        return None
    return Finding(
        severity="warning",
        subject="shares of the classes",
        expected=", ".join(expected),
        found=", ".join(found),
        cause="the masks may follow another class table, or a part of the data is missing",
    )


def _dark(
    card: DatasetCard,
    variant: Variant,
    class_pixels: Sequence[int],
    ignored_pixels: int,
    colours: Mapping[int, ColourSum],
) -> Finding | None:
    total = sum(class_pixels) + ignored_pixels
    for label in card.checkup.dark:
        index = variant.index(label)
        pixels = ignored_pixels if index == IGNORE_INDEX else class_pixels[index]
        colour = colours.get(index)
        if colour is None or colour.pixels < LEAST_POOLED or pixels < COMMON * total:
            continue
        brightness = sum(colour.mean) / 3
        if brightness > BLACK:
            return Finding(
                severity="warning",
                subject=f"colour of {label}",
                expected="black pixels",
                found=f"{_percent(pixels / total)} of the pixels with a mean brightness of {brightness:.0f} of 255",
                cause=f"{label} may have been exchanged with another label, or every value reduced by one",
            )
    return None


def _absent(card: DatasetCard, variant: Variant, class_pixels: Sequence[int]) -> Finding | None:
    ranges = card.checkup.shares
    absent = [
        label
        for label, index in variant.labels.items()
        if index != "ignore" and not class_pixels[index] and (label not in ranges or ranges[label][0] > 0)
    ]
    if not absent or not any(class_pixels):
        return None
    return Finding(
        severity="warning",
        subject="classes",
        expected=f"pixels of all {len(class_pixels)}",
        found=f"none of {', '.join(absent)}",
        cause="the masks may follow another class table, or a part of the data is missing",
    )


def _percent(share: float) -> str:
    """Return a share in two digits: ``0.012 %``, ``4.9 %``, ``95 %``, ``100 %``."""
    return f"{float(f'{100 * share:.2g}'):g} %"
