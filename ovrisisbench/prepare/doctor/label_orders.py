"""Whether the masks follow another order of ids, which passes every check of ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, OtherOrder, Variant
from ovrisisbench.prepare.conversion.class_colours import ColourSum
from ovrisisbench.prepare.doctor.findings import Finding, Severity

__all__ = ["CLEAR_GAIN", "Reading", "examine_orders", "plant_gap", "read_as", "share_range_words"]

LEAST_OF_A_CLASS: Final = 300
"""Sampled pixels below which the mean colour of one class says nothing: about fifteen separate objects."""
CLEAR_GAP: Final = 0.02
"""A class whose excess is this far above another's is greener for certain; measured means repeat within half of it."""
CLEAR_GAIN: Final = 0.06
"""What a wrong order loses at least: the mean excess of trees and lawns is 0.08 to 0.25, that of cars, roofs and
streets -0.03 to 0.03."""
DOUBTFUL_GAIN: Final = 0.04
"""What a wrong order may also gain by chance, on dry plants or with few pictures."""
CLEAR_EXCESS: Final = 1.5
"""A share this many times the largest plausible one is not that of the class; the ranges are wide to begin with."""
CLEAR_LACK: Final = 0.5
"""The same below the smallest plausible share."""
STRAY: Final = 0.001
"""Share of labelled pixels that may have an id which another order does not know."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the pixels say if the ids are read in one order."""

    gap: float | None
    """Excess of the least plant-like plant over the most plant-like other class; None with too few pixels."""
    implausible: tuple[str, ...]
    """Labels whose share is outside its plausible range, with the share in words."""
    impossible: tuple[str, ...]
    """Those of them that are far outside."""


def examine_orders(
    card: DatasetCard,
    variant: Variant,
    class_pixels: Sequence[int],
    ignored_pixels: int,
    colours: Mapping[int, ColourSum],
) -> Finding | None:
    """Look for an order of ids under which colours and shares make sense while they do not under the declared one.

    Args:
        card: its ``checkup`` names the other orders, the plants and the plausible shares.
        variant: with the index of each label.
        class_pixels: pixels by label index.
        ignored_pixels: pixels that are ignored.
        colours: sampled pixels by label index.
    """
    declared_order = _declared(card, variant)
    pixels = {index: count for index, count in enumerate(class_pixels) if count}
    if ignored_pixels and list(variant.labels.values()).count("ignore") == 1:
        pixels[IGNORE_INDEX] = ignored_pixels
    if not pixels:
        return None
    declared = read_as(card, variant, dict(declared_order), pixels, colours)
    suspects: list[tuple[Severity, OtherOrder, Reading]] = []
    for order in card.checkup.other_orders:
        meaning = _meaning(order, declared_order, pixels)
        if meaning is None:
            continue
        reading = read_as(card, variant, meaning, pixels, colours)
        severity = _compare(declared, reading)
        if severity:
            suspects.append((severity, order, reading))
    if not suspects:
        return None
    severity, order, reading = min(
        suspects, key=lambda suspect: (suspect[0] != "error", len(suspect[2].implausible), -(suspect[2].gap or 0.0))
    )
    return _finding(severity, order, declared, reading)


def read_as(
    card: DatasetCard,
    variant: Variant,
    meaning: Mapping[int, str],
    pixels: Mapping[int, int],
    colours: Mapping[int, ColourSum],
) -> Reading:
    """Judge one reading of the label indices.

    Args:
        card: with the plants and the plausible shares.
        variant: labels that it ignores have no share.
        meaning: label index -> the card's label that it is read as.
        pixels: label index -> pixels.
        colours: label index -> sampled pixels.
    """
    ignored = {label for label, index in variant.labels.items() if index == "ignore"}
    shares = dict.fromkeys((label for label in card.checkup.shares if label in meaning.values()), 0.0)
    total = sum(count for index, count in pixels.items() if meaning.get(index) not in ignored)
    for index, count in pixels.items():
        label = meaning.get(index, "")
        if label in shares:
            shares[label] += count / max(total, 1)
    implausible, impossible = [], []
    for label, share in shares.items():
        least, most = card.checkup.shares[label]
        if label in ignored or least <= share <= most:
            continue
        words = f"{label} {share:.1%}".replace("%", " %")
        implausible.append(words)
        if share > CLEAR_EXCESS * most or share < CLEAR_LACK * least:
            impossible.append(words)
    return Reading(plant_gap(card, meaning, colours), tuple(implausible), tuple(impossible))


def plant_gap(card: DatasetCard, meaning: Mapping[int, str], colours: Mapping[int, ColourSum]) -> float | None:
    """Return by how much the least plant-like class of plants exceeds the most plant-like other class.

    What is compared is the excess of one band over the other two, as a share
    of all three: green in true colours, near infrared where there is such a
    band.

    Returns:
        The difference, -3..3; None unless there are enough pixels of both.
    """
    band = 1 if card.checkup.bands == "red green blue" else 0
    plants: list[float] = []
    others: list[float] = []
    for index, label in meaning.items():
        colour = colours.get(index)
        if colour is None or colour.pixels < LEAST_OF_A_CLASS or not label or label in card.checkup.dark:
            continue
        mean = colour.mean
        excess = (3 * mean[band] - sum(mean)) / max(sum(mean), 1)
        (plants if label in card.checkup.vegetation else others).append(excess)
    return min(plants) - max(others) if plants and others else None


def share_range_words(least: float, most: float) -> str:
    """Return a range of shares in words.

    Example:
        >>> share_range_words(0.002, 0.05), share_range_words(0, 0.2)
        ('0.2 % to 5 %', 'at most 20 %')
    """
    low, high = (f"{100 * share:g} %" for share in (least, most))
    if not least:
        return f"at most {high}"
    return f"{low} to {high}"


def _declared(card: DatasetCard, variant: Variant) -> list[tuple[int, str]]:
    """Return (label index, label) in the order of the ids: the publisher's where there are any."""
    labels = [(label.original_id, label.name) for label in (*card.classes, *card.other_labels)]
    numbered = sorted((number, name) for number, name in labels if number is not None)
    if not numbered:
        known = [(index, name) for name, index in variant.labels.items() if index != "ignore"]
        numbered = sorted((int(index), name) for index, name in known)
    return [(variant.index(name), name) for _, name in numbered]


def _meaning(
    order: OtherOrder, declared: Sequence[tuple[int, str]], pixels: Mapping[int, int]
) -> dict[int, str] | None:
    """Return what each label index means in the other order; None if it has no name for ids that are there."""
    meaning = {index: label for (index, _), label in zip(declared, order.classes, strict=False) if label}
    unnamed = sum(count for index, count in pixels.items() if index not in meaning)
    return None if unnamed > STRAY * sum(pixels.values()) else meaning


def _compare(declared: Reading, other: Reading) -> Severity | None:
    """Tell whether the other reading is right for certain, perhaps, or not at all."""
    fewer = len(other.implausible) <= len(declared.implausible)
    fits = bool(declared.impossible) and not other.implausible
    if other.gap is None:
        return "warning" if fits else None
    # Without a gap the declared order has hardly any plants.
    gain = other.gap - (declared.gap or 0.0)
    if declared.gap is None:
        return ("error" if gain >= CLEAR_GAIN else "warning") if fits else None
    if declared.gap <= -CLEAR_GAP and other.gap >= CLEAR_GAP and gain >= CLEAR_GAIN and fewer:
        return "error"
    if fits and gain >= -CLEAR_GAP:
        return "error"
    return "warning" if declared.gap < 0 < other.gap and gain >= DOUBTFUL_GAIN and fewer else None


def _finding(severity: Severity, order: OtherOrder, declared: Reading, other: Reading) -> Finding:
    signs = []
    if declared.implausible:
        signs.append(f"the shares {', '.join(declared.implausible)}")
    if declared.gap is not None and declared.gap < 0:
        signs.append("labels of plants whose pixels look less like plants than those of other labels")
    elif declared.gap is not None and other.gap is not None and other.gap - declared.gap >= DOUBTFUL_GAIN:
        signs.append("plants that stand out less in colour than in another order")
    likely = "" if severity == "error" else "probably "
    return Finding(
        severity=severity,
        subject="order of the ids",
        expected="colours and shares that fit the classes",
        found=" and ".join(signs),
        cause=f"the ids are {likely}those of {order.name}, with which all of it fits",
        remedy="use the masks of this data set, or renumber them",
    )
