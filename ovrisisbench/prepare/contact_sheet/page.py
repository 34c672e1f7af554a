"""One HTML page about a prepared data set: its counts, and some of its pictures under their labels.

The page is one file without any reference to another, so it can be mailed
and opened anywhere; its content security policy forbids it to load or send
anything. What comes from the data is escaped by the template.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ovrisisbench.atomic import write_text
from ovrisisbench.catalog.cards import IGNORE_INDEX, load_card
from ovrisisbench.errors import CatalogError, DataError
from ovrisisbench.prepare.contact_sheet.overlay_colours import OverlayColour, overlay_colours
from ovrisisbench.prepare.contact_sheet.spread import spread_samples
from ovrisisbench.prepare.contact_sheet.thumbnails import make_thumbnail
from ovrisisbench.prepare.storage.summary import DatasetSummary, summarise

if TYPE_CHECKING:
    from ovrisisbench.prepare.storage.manifest import Manifest, Sample
    from ovrisisbench.prepare.storage.prepared import PreparedDataset

__all__ = ["MAX_IMAGES", "contact_sheet", "write_contact_sheet"]

MAX_IMAGES: Final = 200
"""More pictures than this would be too small to see, since the page stays below 4 MB."""

_PICTURE_CHARACTERS: Final = 3_200_000
"""For all pictures together; the rest of the 4 MB is for words."""
_LONGEST_TEXT: Final = 600
"""Characters of one note; some list every file that was converted."""
_MOST_NOTES: Final = 20
_MOST_SIZES: Final = 6
_MOST_CLASSES: Final = 8
"""Listed for one picture."""
_NAMED_CLASSES: Final = 3
"""Named below one picture all the time."""


def write_contact_sheet(dataset: PreparedDataset, target: Path, *, images: int = 24) -> tuple[str, ...]:
    """Write the page about ``dataset``; equal prepared files give equal bytes.

    Args:
        dataset: an open prepared data set.
        target: the page, ``.html``; replaced at once when it is finished.
        images: how many pictures to show, 1..``MAX_IMAGES``.

    Returns:
        Ids of the samples that are shown, in the order of the manifest.

    Raises:
        DataError: ``target`` is not named as a page, or the pictures cannot be read.
        OvrisisBenchError: the folder cannot be written.
    """
    # Lest a slip of the hand writes the page over the data.
    if target.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"The page is HTML, but {target} is not named so; give it a name that ends in .html.")
    chosen = spread_samples(dataset.samples, images)
    write_text(target, _page(dataset, chosen))
    return tuple(dataset.samples[index].id for index in chosen)


def contact_sheet(dataset: PreparedDataset, *, images: int = 24, home: tuple[str, str] | None = None) -> str:
    """Return the text of the page that :func:`write_contact_sheet` writes.

    Args:
        dataset: an open prepared data set.
        images: how many pictures to show.
        home: address and name of a page that this one belongs to.
    """
    return _page(dataset, spread_samples(dataset.samples, images), home)


def _page(dataset: PreparedDataset, chosen: list[int], home: tuple[str, str] | None = None) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("ovrisisbench.prepare.contact_sheet", ".")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["count"] = "{:,}".format
    environment.filters["percent"] = _percent
    script = loader.get_source(environment, "contact_sheet.js")[0]
    colours = overlay_colours(dataset.manifest)
    summary = summarise(dataset)
    return environment.get_template("contact_sheet.html.jinja").render(
        style=loader.get_source(environment, "contact_sheet.css")[0],
        script=script,
        home=home,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        manifest=dataset.manifest,
        summary=summary,
        file_name=dataset.path.name,
        variant_title=_variant_title(dataset.manifest),
        remarks=_remarks(dataset.manifest),
        classes=_classes(summary, colours),
        sizes=summary.sizes[:_MOST_SIZES],
        sizes_left=len(summary.sizes[_MOST_SIZES:]),
        size_images_left=sum(size.images for size in summary.sizes[_MOST_SIZES:]),
        pictures=_pictures(dataset, chosen, colours),
    )


def _remarks(manifest: Manifest) -> list[tuple[str, str]]:
    """Return (kind, sentence) of everything that a reader of the figures should know."""
    kinds = (
        ("partial", manifest.partial_reasons),
        ("warning", manifest.warnings),
        ("note", manifest.notes),
    )
    found = []
    for kind, sentences in kinds:
        found += [(kind, _cut(sentence)) for sentence in sentences[:_MOST_NOTES]]
        if len(sentences) > _MOST_NOTES:
            found.append((kind, f"and {len(sentences) - _MOST_NOTES:,} more, which the manifest holds."))
    return found


def _classes(summary: DatasetSummary, colours: tuple[OverlayColour, ...]) -> list[dict[str, Any]]:
    largest = max((row.share for row in summary.classes), default=0.0) or 1.0
    return [
        {
            "index": row.index,
            "name": row.name,
            "css": colour.css,
            "is_published": colour.is_published,
            "pixels": row.pixels,
            "share": row.share,
            "bar": round(100 * row.share / largest, 2),
            "images": row.images,
        }
        for row, colour in zip(summary.classes, colours, strict=True)
    ]


def _pictures(dataset: PreparedDataset, chosen: list[int], colours: tuple[OverlayColour, ...]) -> list[dict[str, Any]]:
    limit = _PICTURE_CHARACTERS // max(len(chosen), 1)
    palette = [colour.colour for colour in colours]
    pictures = []
    for index in chosen:
        sample = dataset.samples[index]
        thumbnail = make_thumbnail(dataset.image(index), dataset.label(index), palette, limit=limit)
        pictures.append({"sample": sample, "thumbnail": thumbnail, **_shares(sample, dataset.manifest, colours)})
    return pictures


def _shares(sample: Sample, manifest: Manifest, colours: tuple[OverlayColour, ...]) -> dict[str, Any]:
    """Return what a picture shows, the largest class first; shares are of all its pixels."""
    area = sample.height * sample.width
    labels = sorted(sample.histogram.keys() - {IGNORE_INDEX}, key=lambda label: (-sample.histogram[label], label))
    rows = [
        {"name": manifest.class_names[label], "css": colours[label].css, "share": sample.histogram[label] / area}
        for label in labels
    ]
    return {
        "labels": " ".join(map(str, labels)),
        "named": rows[:_NAMED_CLASSES],
        "unnamed": len(rows[_NAMED_CLASSES:]),
        "rows": rows[:_MOST_CLASSES],
        "rows_left": len(rows[_MOST_CLASSES:]),
        "ignored": sample.histogram.get(IGNORE_INDEX, 0) / area,
    }


def _variant_title(manifest: Manifest) -> str:
    try:
        return load_card(manifest.dataset).variant(manifest.variant).title
    except CatalogError:
        return ""


def _percent(share: float) -> str:
    """Return a share in percent that never says 0 for something, nor all for nearly all.

    Example:
        >>> [_percent(share) for share in (0.0, 0.0002, 0.034, 0.9999, 1.0)]
        ['0%', '<0.1%', '3.4%', '>99.9%', '100%']
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    if share < 0.0005:
        return "<0.1%"
    return ">99.9%" if share >= 0.9995 else f"{share:.1%}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… (cut; the manifest holds all of it)"
