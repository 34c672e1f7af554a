"""The one call behind ``ovrisis-bench inspect``: what a prepared file holds, and the page about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovrisisbench.prepare.storage.manifest import Manifest
from ovrisisbench.prepare.storage.prepared import PreparedDataset
from ovrisisbench.prepare.storage.summary import DatasetSummary, summarise

__all__ = ["Inspection", "inspect_prepared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a prepared file holds."""

    manifest: Manifest
    summary: DatasetSummary
    page: Path | None
    """The page that was written."""
    pictures: tuple[str, ...]
    """Ids of the samples that it shows."""

    def __repr__(self) -> str:
        manifest = self.manifest
        return (
            f"<Inspection {manifest.dataset} {manifest.variant}: {self.summary.images:,} images of "
            f"{self.summary.scenes:,} scenes, fingerprint {manifest.digest[:12]}>"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dictionaries, keys as documented in ``docs/cli.md``."""
        return {
            **self.manifest.model_dump(mode="json", exclude={"class_names", "class_pixels"}),
            **self.summary.model_dump(mode="json"),
            "page": None if self.page is None else str(self.page),
            "pictures": list(self.pictures),
        }


def inspect_prepared(file: Path, *, page: Path | None = None, images: int = 24) -> Inspection:
    """Count what a prepared file holds; only the manifest is read, and for the page the pixels of its pictures.

    Args:
        file: the prepared file.
        page: ``.html`` file to write; None for none.
        images: how many pictures the page shows.

    Raises:
        DataError: the file cannot be used, or ``page`` is not named as a page.
        OvrisisBenchError: the page cannot be written.
    """
    with PreparedDataset(file) as dataset:
        summary = summarise(dataset)
        shown: tuple[str, ...] = ()
        if page is not None:
            from ovrisisbench.prepare.contact_sheet.page import write_contact_sheet

            shown = write_contact_sheet(dataset, page, images=images)
        return Inspection(manifest=dataset.manifest, summary=summary, page=page, pictures=shown)
