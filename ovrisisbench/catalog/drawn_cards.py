"""Cards of drawn data sets: each follows the card of a real one, its sister, and says only what differs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ovrisisbench.catalog.evidence import Evidence
from ovrisisbench.catalog.yaml_files import CatalogModel

__all__ = ["DrawnCard", "drawn_content"]

_OF_THE_DRAWING: Evidence = "code"
"""How sure everything is that the drawing decides."""


class DrawnSplit(CatalogModel):
    """One part of the drawn data."""

    name: str
    images: int
    """All of them have masks."""
    rule: str = ""
    """How one tells that an image belongs to it; empty for the sister's rule."""
    names: str = ""
    """Regular expression that the names of its images match, where neither folders nor the sister's ids tell."""


class DrawnVariant(CatalogModel):
    """One reading of the drawn data: the sister's of the same name, with counts of its own."""

    name: str
    title: str = ""
    """Empty for the sister's."""
    why: str
    counts: dict[str, int]
    """Evaluated images by split."""
    counts_evidence: Evidence = _OF_THE_DRAWING
    ignored_share: tuple[float, float] | None = None
    """None for the sister's."""
    keep_above: float | None = None
    """Labelled fraction above which a window is kept; None for the sister's rule."""


class DrawnCard(CatalogModel):
    """All that is said of a drawn data set beside its sister's card."""

    format: Literal[1]
    key: str
    drawn_after: str
    """Key of the sister."""
    title: str
    summary: str
    sensor: str
    gsd_m: float | None
    image_size: str
    licence: str
    layouts: tuple[str, ...] = Field(min_length=1)
    """Names of the sister's layouts in which it is drawn."""
    splits: tuple[DrawnSplit, ...]
    checkup: dict[str, Any] = Field(default_factory=dict)
    """Fields of the check-up that differ from the sister's."""
    default_variant: str
    variants: tuple[DrawnVariant, ...]


def drawn_content(card: DrawnCard, sister: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a full card.

    Args:
        card: the drawn one.
        sister: content of the sister's card, as plain data.

    Raises:
        ValueError: it names a layout or a variant that the sister does not have.
    """
    own = card.model_dump(
        include={
            "key",
            "drawn_after",
            "title",
            "summary",
            "sensor",
            "gsd_m",
            "image_size",
            "licence",
            "default_variant",
        }
    )
    no_longer = {"citations": (), "traps": (), "open_questions": ()}
    download = {
        "what": "images and masks",
        "archive": "what ovrisis-bench mini draws",
        "source": "this program",
        "evidence": _OF_THE_DRAWING,
    }
    layouts = [
        {**_named(sister["layouts"], name, "layouts"), "evidence": _OF_THE_DRAWING, "passed_over": (), "note": ""}
        for name in card.layouts
    ]
    return {
        **sister,
        **no_longer,
        **own,
        "downloads": [download],
        "layouts": layouts,
        "splits": [_split(split, sister["splits"]) for split in card.splits],
        "checkup": {**sister["checkup"], "evidence": _OF_THE_DRAWING, **card.checkup},
        "variants": [_variant(variant, sister["variants"], card.layouts) for variant in card.variants],
    }


def _split(split: DrawnSplit, of_the_sister: list[dict[str, Any]]) -> dict[str, Any]:
    like = next((known for known in of_the_sister if known["name"] == split.name), {})
    return {
        "name": split.name,
        "images": split.images,
        "labelled": split.images,
        "ids": like.get("ids", ()),
        "names": split.names,
        "rule": split.rule or like.get("rule", ""),
        "evidence": _OF_THE_DRAWING,
    }


def _variant(variant: DrawnVariant, of_the_sister: list[dict[str, Any]], layouts: tuple[str, ...]) -> dict[str, Any]:
    like = _named(of_the_sister, variant.name, "variants")
    changes: dict[str, Any] = {
        "why": variant.why,
        "counts": variant.counts,
        "counts_evidence": variant.counts_evidence,
        "labels_evidence": _OF_THE_DRAWING,
        "name_digests": {},
        "layouts": [name for name in like["layouts"] if name in layouts],
    }
    if variant.title:
        changes["title"] = variant.title
    if variant.ignored_share is not None:
        changes["ignored_share"] = variant.ignored_share
    if variant.keep_above is not None:
        changes["windows"] = {
            **like["windows"],
            "keep_above": variant.keep_above,
            "evidence": _OF_THE_DRAWING,
            "note": "",
        }
    return {**like, **changes}


def _named(entries: list[dict[str, Any]], name: str, field: str) -> dict[str, Any]:
    for entry in entries:
        if entry["name"] == name:
            return entry
    known = ", ".join(entry["name"] for entry in entries)
    raise ValueError(f"{field}: the sister has no '{name}'; it has {known}")
