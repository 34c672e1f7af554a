"""Expected against found: is a download complete, and do the windows have the published names?

What is merely recalled or inferred about a data set is compared and reported,
but the last word has what is certain: if the windows come out in the
published number and under the published names, the data are complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.catalog.evidence import UNCERTAIN, evidence_words
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.doctor.findings import Finding, Severity, listed
from ovrisisbench.prepare.layouts.interface import ALL, Expected, Recognised
from ovrisisbench.prepare.storage.manifest import Sample, natural_key

__all__ = ["Verdict", "examine_download", "examine_files", "examine_samples", "name_digest", "refuse_parts"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comparisons with the card brought to light."""

    findings: tuple[Finding, ...] = ()
    verified: bool = False
    """True if certain counts and names were there to compare with, and all agree."""

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def sentences(self, severity: Severity) -> tuple[str, ...]:
        """Return the findings of one severity as sentences without full stops."""
        return tuple(finding.sentence() for finding in self.of(severity))

    def plus(self, findings: Iterable[Finding]) -> Verdict:
        """Return a verdict with more findings."""
        return replace(self, findings=(*self.findings, *findings))

    def refuse_errors(self, card: DatasetCard, *, allow_doubtful: bool = False) -> None:
        """Stop if labels or pixels would be wrong, or look so and the user does not know better.

        Raises:
            DataError: one sentence with all errors, or all doubts.
        """
        errors = self.sentences("error")
        if errors:
            raise DataError(f"{card.title} cannot be used as it is: {'; '.join(errors)}.")
        doubts = self.sentences("doubt")
        if doubts and not allow_doubtful:
            raise DataError(
                f"{card.title} looks wrong: {'; '.join(doubts)} - or, if you know that it is right, go on with "
                "--allow-doubtful, which keeps the doubt in the file."
            )

    def refuse_parts(self, card: DatasetCard, *, allow_partial: bool) -> None:
        """Stop unless the data are complete or the user accepts a part.

        Raises:
            DataError: one sentence with all reasons.
        """
        refuse_parts(self.sentences("partial"), card, allow_partial=allow_partial)


def refuse_parts(reasons: Sequence[str], card: DatasetCard, *, allow_partial: bool) -> None:
    """Stop if there are reasons why the data are partial, unless the user accepts a part.

    Raises:
        DataError: one sentence with all reasons.
    """
    if reasons and not allow_partial:
        raise DataError(
            f"{card.title} is not complete: {'; '.join(reasons)}; add what is missing, or go on with "
            "--allow-partial, which marks every result as partial."
        )


def examine_download(found: Recognised, expected: Mapping[str, Expected], *, what: str) -> Verdict:
    """Compare the number of images with the card's, before anything is decoded.

    Fewer images than expected mean a part of the download; more are a warning.

    Args:
        found: by the layout's reader.
        expected: images by split of a complete download; ``all`` for their sum.
        what: ``images`` or ``windows``.
    """
    findings = []
    counts = found.counts
    for split, wanted in expected.items():
        here = sum(counts.values()) if split == ALL else counts.get(split, 0)
        if here == wanted.images:
            continue
        cause = "" if here > wanted.images else "an archive is probably missing or was not unpacked to its end"
        if here == 0:
            cause = "its folder or archives are missing"
        findings.append(
            Finding(
                severity="partial" if here < wanted.images else "warning",
                subject="all splits" if split == ALL else f"split {split}",
                expected=f"{wanted.images:,} {what} with masks ({evidence_words(wanted.evidence)})",
                found=f"{here:,}",
                cause=cause,
            )
        )
    orphans = (
        ("images without a mask", found.images_without_mask),
        ("masks without an image", found.masks_without_image),
    )
    for subject, names in orphans:
        if names:
            text = f"{len(names)} ({listed(names, _SHOWN)})"
            findings.append(Finding(severity="partial", subject=subject, expected="none", found=text))
    return Verdict(tuple(findings))


def examine_files(unusable: Sequence[str]) -> list[Finding]:
    """Return a finding if pairs had to be left out because of their files.

    Args:
        unusable: one clause for each pair.
    """
    if not unusable:
        return []
    shown = "; ".join(unusable[:_SHOWN])
    more = f"; and {len(unusable) - _SHOWN} more" if len(unusable) > _SHOWN else ""
    return [
        Finding(
            severity="partial",
            subject="pairs of image and mask that cannot be used",
            expected="none",
            found=f"{len(unusable)} ({shown}{more})",
        )
    ]


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
        return before.plus(difference.model_copy(update={"severity": "warning"}) for difference in differences)
    partial = before.of("partial")
    if partial and (differences or not variant.counts):
        return before
    others = tuple(finding for finding in before.findings if finding.severity != "partial")
    forgiven = (
        finding.model_copy(update={"severity": "warning", "remedy": "the evaluated images are complete all the same"})
        for finding in partial
    )
    by_name = set(by_split) == set(variant.counts)
    return Verdict((*others, *forgiven, *differences), verified=by_name and not differences)


def name_digest(names: Iterable[str]) -> str:
    """Return the sha256 of names in natural order, one a line, as cards hold it for published lists."""
    digest = hashlib.sha256()
    for name in sorted(names, key=natural_key):
        digest.update(f"{name}\n".encode())
    return digest.hexdigest()


def _differences(by_split: Mapping[str, Sequence[str]], variant: Variant) -> list[Finding]:
    words = evidence_words(variant.counts_evidence)
    if ALL in by_split or ALL in variant.counts:
        found, wanted = sum(map(len, by_split.values())), variant.total
        return [] if wanted in (None, found) else [_partial("all splits", _evaluated(wanted, words), f"{found:,}")]
    differences = []
    for split, wanted in variant.counts.items():
        names = by_split.get(split, ())
        if len(names) != wanted:
            differences.append(_partial(f"split {split}", _evaluated(wanted, words), f"{len(names):,}"))
        elif split in variant.name_digests and name_digest(names) != variant.name_digests[split]:
            cause = "masks or images differ from the published ones"
            differences.append(
                _partial(f"split {split}", "the names of the published list", f"{len(names):,} other names", cause)
            )
    strangers = sorted(set(by_split) - set(variant.counts)) if variant.counts else []
    none = _evaluated(0, words)
    differences += [_partial(f"split {split}", none, f"{len(by_split[split]):,}") for split in strangers]
    return differences


def _partial(subject: str, expected: str, found: str, cause: str = "") -> Finding:
    return Finding(severity="partial", subject=subject, expected=expected, found=found, cause=cause)


def _evaluated(count: int | None, words: str) -> str:
    return f"{count:,} evaluated images ({words})"
