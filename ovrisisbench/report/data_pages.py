"""Pages about the data sets: what their cards say, and what is prepared here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ovrisisbench.catalog import dataset_keys, load_card
from ovrisisbench.catalog.bibtex import bibtex
from ovrisisbench.catalog.evidence import evidence_words
from ovrisisbench.catalog.legend import hex_colour, legend
from ovrisisbench.report.rows import ShownSection, file_part

if TYPE_CHECKING:
    from ovrisisbench.catalog import DatasetCard, Variant
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["card_content", "data_page", "datasets_shown", "sheet_page"]


def datasets_shown(sections: Iterable[ShownSection]) -> list[str]:
    """Return the data sets of all sections that have a card, in the order of their columns."""
    keys = dict.fromkeys(key for section in sections for key in section.section.datasets)
    known = set(dataset_keys())
    return [key for key in keys if key in known]


def data_page(key: str) -> str:
    """Return the path of the page about a data set."""
    return f"data/{file_part(key)}.html"


def sheet_page(key: str) -> str:
    """Return the path of the contact sheet of a data set."""
    return f"data/{file_part(key)}-sheet.html"


def card_content(key: str, dataset: PreparedDataset | None, results: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that the page about a data set needs.

    Args:
        key: of a card.
        dataset: as it is prepared here; None where it is not.
        results: title of a protocol -> page with the results on this data set.
    """
    card = load_card(key)
    variant = card.variant(dataset.manifest.variant) if dataset is not None else card.variant()
    total = variant.total
    return {
        "card": card,
        "variant": variant,
        "facts": _facts(card, variant),
        "classes": _classes(card, variant, dataset),
        "splits": [
            (split.name, _count(split.images), _count(split.labelled), evidence_words(split.evidence))
            for split in card.splits
        ],
        "images": "" if total is None else f"{total:,}",
        "prepared": None if dataset is None else dataset.manifest,
        "sheet": "" if dataset is None else sheet_page(key).removeprefix("data/"),
        "citations": [(citation.text, citation.about, bibtex(citation)) for citation in card.citations],
        "results": results,
    }


def _facts(card: DatasetCard, variant: Variant) -> list[tuple[str, str]]:
    windows = variant.windows
    return [
        ("Key", card.key),
        ("Sensor", card.sensor),
        ("Size of a pixel", "varies or is not known" if card.gsd_m is None else f"{card.gsd_m:g} m"),
        ("Bands", f"{card.bands}, {card.dtype}"),
        ("Size of an image", card.image_size),
        ("Scene", card.scene_key),
        ("Variant", f"{variant.name}: {variant.title}"),
        (
            "Tested as",
            "whole images" if windows is None else f"windows of {windows.size} pixels every {windows.stride}",
        ),
        ("Licence", card.licence),
    ]


def _classes(card: DatasetCard, variant: Variant, dataset: PreparedDataset | None) -> list[dict[str, Any]]:
    """Return the classes of a variant; with their share of the labelled pixels where the data are prepared."""
    pixels = () if dataset is None else dataset.manifest.class_pixels
    total = max(sum(pixels), 1)
    rows = []
    for entry in legend(card, variant):
        has_share = entry.index is not None and entry.index < len(pixels)
        share = pixels[entry.index] / total if has_share and entry.index is not None else None
        rows.append(
            {
                "index": "–" if entry.index is None else str(entry.index),
                "name": entry.name,
                "ignored": entry.index is None,
                "colours": [hex_colour(label.colour) for label in entry.labels],
                "labels": ", ".join(label.name for label in entry.labels),
                "share": share,
                "width": 0.0 if share is None else round(100 * share / (max(pixels) / total or 1), 2),
            }
        )
    return rows


def _count(images: int | None) -> str:
    return "not settled" if images is None else f"{images:,}"
