"""Which band of the pictures shows near infrared: plants tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.prepare.conversion.class_colours import ColourSum
from ovrisisbench.prepare.doctor.findings import Finding, Severity

__all__ = ["LEAST_POOLED", "examine_bands", "gain_of_each_band", "lead_of_each_band", "pooled_colour"]

LEAST_POOLED: Final = 1_000
"""Sampled pixels of plants, and of sealed ground, below which nothing is said. One pixel's ratio of two bands strays by
about 20 % and neighbours stray together; so many come from fifty objects or more, which leaves about 3 %."""
LEAST_LEAD: Final = math.log(1.12)
"""Near infrared leads the other bands by a factor of 1.2 to 2 on plants, no band of true colours but green by more than
1.1 unless the plants are dry or red."""
CLEAR_SWAP: Final = math.log(1.25)
"""Green gains on red by a factor of 1.1 to 1.5 on plants; so much the other way means that the two are exchanged."""

Gain = tuple[float, float, float]


def examine_bands(card: DatasetCard, variant: Variant, colours: Mapping[int, ColourSum]) -> Finding | None:
    """Compare plants with sealed ground, band by band.

    In true colours no band but green stands out on plants; near infrared
    stands out far more than that.

    Args:
        card: its ``checkup`` names the plants, the sealed ground and the bands.
        variant: with the index of each label.
        colours: sampled pixels by label index; nothing is said with too few.
    """
    checkup = card.checkup
    plants = pooled_colour(colours, _indices(variant, checkup.vegetation))
    sealed = pooled_colour(colours, _indices(variant, checkup.sealed))
    if plants is None or sealed is None or min(plants.pixels, sealed.pixels) < LEAST_POOLED:
        return None
    gain = gain_of_each_band(plants, sealed)
    verdict = _in_true_colour(gain) if checkup.bands == "red green blue" else _in_false_colour(gain)
    if verdict is None:
        return None
    severity, cause = verdict
    ratios = ", ".join(f"{math.exp(band):.2f}" for band in gain)
    return Finding(
        severity=severity,
        subject="bands",
        expected=", ".join(checkup.bands.split()),
        found=f"plants {ratios} times as bright as sealed ground in the three bands",
        cause=cause,
        remedy="use the pictures with the bands that are expected, as published",
    )


def pooled_colour(colours: Mapping[int, ColourSum], indices: Iterable[int]) -> ColourSum | None:
    """Return the sums over several labels, None if they have no pixel."""
    found = [colours[index] for index in indices if index in colours]
    total = ColourSum(*map(sum, zip(*found, strict=True))) if found else None
    return total if total and total.pixels else None


def gain_of_each_band(plants: ColourSum, sealed: ColourSum) -> Gain:
    """Return the logarithm of how many times as bright as sealed ground plants are in each band.

    Light and exposure, which change a band of both alike, cancel out.
    """
    first, second, third = (math.log(max(p, 1) / max(s, 1)) for p, s in zip(plants.mean, sealed.mean, strict=True))
    return (first, second, third)


def lead_of_each_band(gain: Gain) -> Gain:
    """Return by how much the gain of each band exceeds the better of the other two.

    Example:
        >>> lead_of_each_band((0.5, -0.5, -0.25))
        (0.75, -1.0, -0.75)
    """
    first, second, third = gain
    return (first - max(second, third), second - max(first, third), third - max(first, second))


def _in_true_colour(gain: Gain) -> tuple[Severity, str] | None:
    lead = lead_of_each_band(gain)
    for band, order in ((0, "near infrared, red, green"), (2, "green, red, near infrared")):
        if lead[band] < LEAST_LEAD:
            continue
        # Plants take in more red than green; in true colours, autumn leaves included, blue gains least.
        if gain[1] < gain[2 - band]:
            return "error", f"the pictures hold {order} in place of red, green, blue"
        return "warning", f"the pictures may hold {order}, or the plants are dry"
    return None


def _in_false_colour(gain: Gain) -> tuple[Severity, str] | None:
    lead = lead_of_each_band(gain)
    if lead[0] >= LEAST_LEAD:
        # Plants take in more red than green, so green gains on red.
        swapped = gain[1] - gain[2]
        severity: Severity = "error" if swapped >= CLEAR_SWAP else "warning"
        words = "are" if severity == "error" else "may be"
        return (severity, f"the second and the third band {words} exchanged") if swapped >= LEAST_LEAD else None
    if lead[2] >= LEAST_LEAD:
        return "error", "near infrared is the third band: the bands are in reverse order (green, red, near infrared)"
    if lead[1] >= LEAST_LEAD:
        return "error", "the bands are in another order, or these are pictures in true colours (red, green, blue)"
    if lead[0] <= 0:
        return "error", "no band shows near infrared: these are pictures in true colours (red, green, blue)"
    return "warning", "the first band may not be near infrared"


def _indices(variant: Variant, labels: Iterable[str]) -> list[int]:
    found = [variant.labels[label] for label in labels]
    return [index for index in found if index != "ignore"]
