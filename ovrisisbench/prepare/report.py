"""What ``prepare`` recognised, counted and expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ovrisisbench.catalog.cards import Variant
from ovrisisbench.catalog.evidence import Evidence
from ovrisisbench.prepare.doctor.findings import Finding
from ovrisisbench.prepare.layouts.interface import ALL, Expected, Recognised
from ovrisisbench.prepare.storage.manifest import Manifest

__all__ = ["PrepareReport", "SplitReport", "make_report"]


class SplitReport(BaseModel):
    """The counts of one split; expected ones are None where the card does not know them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: str
    files_found: int
    """Pairs of image and mask that were read."""
    files_expected: int | None
    files_evidence: Evidence | None
    images_found: int
    """Evaluated images: windows where the variant cuts any."""
    images_expected: int | None
    images_evidence: Evidence | None


class PrepareReport(BaseModel):
    """The outcome of one call of ``prepare``; ``--json`` prints exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    dataset: str
    title: str
    variant: str
    status: Literal["prepared", "unchanged", "checked"]
    """``unchanged``: the file was there already, made from the same files by the same rules; ``checked``: nothing was
    written."""
    source: str
    """As given with ``--from``."""
    target: str
    """The prepared file, or where it would be written."""
    layout: str
    layout_title: str
    splits: tuple[SplitReport, ...]
    images: int
    """Evaluated images in all."""
    scenes: int
    partial: bool
    partial_reasons: tuple[str, ...]
    verified: bool
    """True if counts and names equal the published ones."""
    findings: tuple[Finding, ...]
    """Every difference from the card; of an unchanged file, those that its files and names show."""
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    digest: str
    """Fingerprint of all decoded pixels and label values."""
    size_bytes: int
    """Of the prepared file; of one that was only checked, what its pixels and labels would need."""
    parts_reused: int
    """Scenes taken over from an interrupted run."""


def make_report(
    manifest: Manifest,
    found: Recognised,
    expected: Mapping[str, Expected],
    variant: Variant,
    **rest: object,
) -> PrepareReport:
    """Bring together what was found and what was expected.

    Args:
        manifest: of the prepared file.
        found: by the layout's reader.
        expected: files by split of a complete download.
        variant: with the expected number of evaluated images.
        rest: the remaining fields of :class:`PrepareReport`.
    """
    images_expected: dict[str, int | None] = dict(variant.counts)
    if ALL in manifest.counts:
        images_expected = {ALL: variant.total}
    sums = {ALL: (sum(found.counts.values()), len(manifest.samples))}
    counts = {split: (found.counts.get(split, 0), manifest.counts.get(split, 0)) for split in found.counts}
    splits = []
    for split in sorted({*counts, *expected, *images_expected}, key=lambda split: (split == ALL, split)):
        files, images = expected.get(split), images_expected.get(split)
        files_found, images_found = counts.get(split) or sums.get(split, (0, 0))
        splits.append(
            SplitReport(
                split=split,
                files_found=files_found,
                files_expected=files.images if files else None,
                files_evidence=files.evidence if files else None,
                images_found=images_found,
                images_expected=images,
                images_evidence=variant.counts_evidence if images is not None else None,
            )
        )
    return PrepareReport.model_validate(
        {
            "dataset": manifest.dataset,
            "title": manifest.title,
            "variant": manifest.variant,
            "layout": manifest.layout,
            "splits": splits,
            "images": len(manifest.samples),
            "scenes": len({sample.scene for sample in manifest.samples}),
            "partial": manifest.partial,
            "partial_reasons": manifest.partial_reasons,
            "verified": manifest.verified,
            "notes": manifest.notes,
            "warnings": manifest.warnings,
            "digest": manifest.digest,
            **rest,
        }
    )
