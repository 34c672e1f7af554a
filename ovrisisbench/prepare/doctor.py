"""Expected against found: is a download complete, and do the windows have the published names?

What is merely recalled or inferred about a data set is compared and reported,
but the last word has what is certain: if the windows come out in the
published number and under the published names, the data are complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.catalog.evidence import UNCERTAIN, evidence_words
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.layouts import Expected, Recognised
from ovrisisbench.prepare.manifest import Manifest, Sample, natural_key

__all__ = ["Verdict", "examine_download", "examine_labels", "examine_samples", "name_digest", "refuse_if_partial"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison with the card brought to light."""

    reasons: tuple[str, ...] = ()
    """Why the data are partial; none if they are complete as far as can be told."""
    warnings: tuple[str, ...] = ()
    """Differences from facts that are not certain themselves."""
    verified: bool = False
    """True if certain counts and names were there to compare with, and all agree."""


def examine_download(found: Recognised, expected: Mapping[str, Expected], *, what: str) -> Verdict:
    """Compare the number of images with the card's, before anything is decoded.

    Fewer images than expected mean a part of the download; more are a warning.

    Args:
        found: by the layout's reader.
        expected: images by split of a complete download.
        what: ``images`` or ``windows``.
    """
    reasons, warnings = [], []
    for split, wanted in expected.items():
        here = found.counts.get(split, 0)
        sentence = (
            f"split {split}: expected {wanted.images:,} {what} with masks ({evidence_words(wanted.evidence)}), "
            f"found {here:,}"
        )
        if here == 0:
            reasons.append(f"{sentence}, so its folder or archives are missing")
        elif here < wanted.images:
            reasons.append(f"{sentence}, so an archive is probably missing or was not unpacked to its end")
        elif here > wanted.images:
            warnings.append(f"{sentence}.")
    if found.images_without_mask:
        reasons.append(f"{_named(found.images_without_mask, 'image')} without a mask")
    if found.masks_without_image:
        reasons.append(f"{_named(found.masks_without_image, 'mask')} without an image")
    return Verdict(tuple(reasons), tuple(warnings))


def examine_samples(samples: Sequence[Sample], variant: Variant, before: Verdict) -> Verdict:
    """Compare the converted samples with the published counts and names.

    Args:
        samples: all of them.
        variant: with the counts and the digests of names.
        before: of :func:`examine_download`; what it found missing is forgiven if everything agrees here.
    """
    by_split: dict[str, list[str]] = {}
    for sample in samples:
        by_split.setdefault(sample.split, []).append(sample.id)
    differences = _differences(by_split, variant)
    if variant.counts_evidence in UNCERTAIN:
        return Verdict(before.reasons, (*before.warnings, *(f"{difference}." for difference in differences)))
    if before.reasons and (differences or not variant.counts):
        return before
    forgiven = (f"{reason}; the evaluated images are complete all the same." for reason in before.reasons)
    by_name = set(by_split) == set(variant.counts)
    return Verdict(tuple(differences), (*before.warnings, *forgiven), verified=by_name and not differences)


def refuse_if_partial(verdict: Verdict, card: DatasetCard, *, allow_partial: bool) -> None:
    """Stop unless the data are complete or the user accepts a part.

    Raises:
        DataError: one sentence with all reasons.
    """
    if verdict.reasons and not allow_partial:
        raise DataError(
            f"{card.title} is not complete: {'; '.join(verdict.reasons)}; add what is missing, or go on with "
            "--allow-partial, which marks every result as partial."
        )


def examine_labels(manifest: Manifest, variant: Variant) -> list[str]:
    """Look at the class histogram for signs of a wrong label map.

    Returns:
        Sentences to warn with: classes without a pixel in data that count as complete.

    Raises:
        DataError: nothing is ignored although the variant ignores a label.
    """
    if manifest.samples and not manifest.ignored_pixels and "ignore" in variant.labels.values():
        raise DataError(
            f"Not one pixel of {manifest.title} is ignored (255), although unlabelled pixels should be; the masks "
            "probably hold 0 for unlabelled and ids that start at 1, so every class would be off by one."
        )
    absent = [name for name, pixels in zip(manifest.class_names, manifest.class_pixels, strict=True) if not pixels]
    if manifest.partial or not absent:
        return []
    return [f"No pixel belongs to {', '.join(absent)}: the masks may follow another class table."]


def name_digest(names: Iterable[str]) -> str:
    """Return the sha256 of names in natural order, one a line, as cards hold it for published lists."""
    digest = hashlib.sha256()
    for name in sorted(names, key=natural_key):
        digest.update(f"{name}\n".encode())
    return digest.hexdigest()


def _differences(by_split: Mapping[str, Sequence[str]], variant: Variant) -> list[str]:
    words = evidence_words(variant.counts_evidence)
    if "all" in by_split or "all" in variant.counts:
        found, wanted = sum(map(len, by_split.values())), variant.total
        if found == wanted:
            return []
        return [f"expected {wanted:,} evaluated images in all ({words}), found {found:,}"]
    differences = []
    for split, wanted in variant.counts.items():
        names = by_split.get(split, ())
        if len(names) != wanted:
            differences.append(f"split {split}: expected {wanted:,} evaluated images ({words}), found {len(names):,}")
        elif split in variant.name_digests and name_digest(names) != variant.name_digests[split]:
            differences.append(
                f"split {split}: the {wanted:,} evaluated images have other names than the published list, so masks or "
                "images differ from the published ones"
            )
    strangers = sorted(set(by_split) - set(variant.counts)) if variant.counts else []
    differences += [f"split {split}: expected no evaluated images, found {len(by_split[split])}" for split in strangers]
    return differences


def _named(names: Sequence[str], what: str) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}(s) ({shown}{more})"
