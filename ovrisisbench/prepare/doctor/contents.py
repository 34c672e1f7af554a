"""What all units of a download contributed, put together and looked at as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Variant
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.prepare.conversion.class_colours import ClassColours, ColourSum
from ovrisisbench.prepare.conversion.convert import UnitContent
from ovrisisbench.prepare.doctor.appearance import OF_THE_WHOLE, examine_appearance
from ovrisisbench.prepare.doctor.findings import Finding, listed
from ovrisisbench.prepare.doctor.verdict import examine_files
from ovrisisbench.prepare.storage.manifest import Sample

__all__ = ["Contents", "examine_contents"]

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Contents:
    """The sum of all units."""

    samples: tuple[Sample, ...]
    conversions: Mapping[str, tuple[str, ...]]
    """Words for what was done to pixels -> the images that it was done to."""
    unusable: tuple[str, ...]
    sizes: Mapping[tuple[int, int], int]
    """(height, width) -> image files."""
    colours: Mapping[int, ColourSum]

    @classmethod
    def of(cls, units: Sequence[UnitContent]) -> Contents:
        """Add up what the units contributed."""
        conversions: dict[str, list[str]] = {}
        sizes: Counter[tuple[int, int]] = Counter()
        colours = ClassColours()
        for unit in units:
            for image, words in sorted(unit.conversions.items()):
                conversions.setdefault(words, []).append(image)
            for height, width, count in unit.sizes:
                sizes[height, width] += count
            colours.merge(unit.colours.items())
        return cls(
            samples=tuple(sample for unit in units for sample in unit.samples),
            conversions={words: tuple(images) for words, images in sorted(conversions.items())},
            unusable=tuple(sentence for unit in units for sentence in unit.unusable),
            sizes=sizes,
            colours=colours.sums(),
        )

    def remarks(self) -> list[str]:
        """Return a sentence for each kind of conversion."""
        return [
            f"{len(images)} image(s) had {words}: {listed(images, _SHOWN)}."
            for words, images in self.conversions.items()
        ]


def examine_contents(
    contents: Contents, card: DatasetCard, variant: Variant, *, is_cut: bool, is_part: bool = False
) -> list[Finding]:
    """Compare decoded images and label maps with what the card says of right ones.

    Args:
        contents: of all units.
        card: the data set.
        variant: that was made.
        is_cut: the files were windows already, which then must have the variant's size.
        is_part: images are known to be missing, so that unusual shares of classes mean nothing.
    """
    histogram: Counter[int] = Counter()
    for sample in contents.samples:
        histogram.update(sample.histogram)
    classes = len(load_vocabulary(variant.vocabulary).class_names)
    findings = examine_files(contents.unusable)
    if is_cut:
        findings += _examine_window_size(contents.sizes, card, variant)
    looks = examine_appearance(
        card,
        variant,
        [histogram[index] for index in range(classes)],
        histogram[IGNORE_INDEX],
        contents.colours,
        {} if is_cut else contents.sizes,
    )
    if is_part:
        looks = [finding for finding in looks if finding.severity != "warning" or finding.subject not in OF_THE_WHOLE]
    # Statistics can err on data that are right, so the last word is the user's.
    return findings + [
        finding.model_copy(update={"severity": "doubt"}) if finding.severity == "error" else finding
        for finding in looks
    ]


def _examine_window_size(sizes: Mapping[tuple[int, int], int], card: DatasetCard, variant: Variant) -> list[Finding]:
    """Tell files that were cut to another size, and so by another rule, from those of this variant."""
    if variant.windows is None or not sizes:
        return []
    size = variant.windows.size
    (height, width), count = max(sizes.items(), key=lambda item: item[1])
    if (height, width) == (size, size):
        return []
    others = [other for other in card.variants if other.windows and (other.windows.size,) * 2 == (height, width)]
    other = next((other for other in others if not other.layouts and other.mask_set == variant.mask_set), None)
    return [
        Finding(
            severity="error",
            subject="size of the windows",
            expected=f"{size}x{size} pixels for the variant {variant.name}",
            found=f"{count} of {height}x{width} (rows x columns)",
            cause="the files were cut by another rule",
            remedy=f"prepare them with --variant {other.name}" if other else "use another copy of the data",
        )
    ]
