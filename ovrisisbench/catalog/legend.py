"""The classes of a data set with their colours: as rows, and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from ovrisisbench.catalog.cards import Colour, DatasetCard, LabelClass, Variant
from ovrisisbench.catalog.vocabularies import load_vocabulary

__all__ = ["LegendEntry", "hex_colour", "legend", "legend_svg"]

_ROW: Final = 26
_MARGIN: Final = 12
_SWATCH: Final = (34, 16)
_LETTER: Final = 8.4
"""Width of an average letter at the size of the legend, in pixels, on the generous side."""
_MOST_ROWS: Final = 9
"""Longer legends get two columns."""

# The panel brings its own background, so that the text is readable on any page; the colours of the
# publishers go up to pure black and pure white, so every swatch has a border.
_STYLE: Final = """\
  <style>
    .panel { fill: #ffffff; stroke: #d0d7de }
    .swatch { stroke: #6e7781 }
    text { fill: #1f2328; font: 14px system-ui, sans-serif }
    .index { text-anchor: end; font-variant-numeric: tabular-nums }
    .quiet { fill: #59636e }
    @media (prefers-color-scheme: dark) {
      .panel { fill: #0d1117; stroke: #3d444d }
      .swatch { stroke: #9198a1 }
      text { fill: #f0f6fc }
      .quiet { fill: #9198a1 }
    }
  </style>"""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One value of the label map, or one of the publisher's labels that is ignored."""

    index: int | None
    """Value in the label map; None: ignored, 255."""
    name: str
    """Class name in the vocabulary; the publisher's where it is ignored."""
    labels: tuple[LabelClass, ...]
    """The publisher's labels that it is made from."""


def legend(card: DatasetCard, variant: Variant | None = None) -> tuple[LegendEntry, ...]:
    """Return the classes of one reading of a data set in label order, then what it ignores.

    Args:
        card: of the data set.
        variant: one of the card's variants; None for the default one.
    """
    variant = card.variant() if variant is None else variant
    labels = (*card.classes, *card.other_labels)
    entries = [
        LegendEntry(index, name, tuple(label for label in labels if variant.labels[label.name] == index))
        for index, name in enumerate(load_vocabulary(variant.vocabulary).class_names)
    ]
    ignored = [label for label in labels if variant.labels[label.name] == "ignore"]
    return (*entries, *(LegendEntry(None, label.name, (label,)) for label in ignored))


def hex_colour(colour: Colour) -> str:
    """Return a colour as the web writes it.

    Example:
        >>> hex_colour((166, 202, 240))
        '#a6caf0'
    """
    red, green, blue = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def legend_svg(card: DatasetCard) -> str:
    """Return the legend of the default variant as an SVG picture: colour, label value, class name.

    It has a background of its own, light or dark as the reader prefers.
    """
    entries = legend(card)
    columns = 1 if len(entries) <= _MOST_ROWS else 2
    rows = -(-len(entries) // columns)
    swatches = max(len(entry.labels) for entry in entries)
    text_at = swatches * (_SWATCH[0] + 6) + 30
    column = text_at + round(max(len(_words(entry)) for entry in entries) * _LETTER) + 2 * _MARGIN
    width, height = columns * column + _MARGIN, rows * _ROW + 2 * _MARGIN
    title = escape(f"{card.title}: colours, label values and names of the classes")
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        f'  <title id="title">{title}</title>',
        _STYLE,
        f'  <rect class="panel" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
    ]
    for position, entry in enumerate(entries):
        x = _MARGIN + position // rows * column
        y = _MARGIN + position % rows * _ROW
        lines += _entry(entry, x, y, text_at)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _entry(entry: LegendEntry, x: int, y: int, text_at: int) -> list[str]:
    width, height = _SWATCH
    lines = [
        f'  <rect class="swatch" fill="{hex_colour(label.colour)}" x="{x + number * (width + 6)}" y="{y + 5}" '
        f'width="{width}" height="{height}" rx="2"/>'
        for number, label in enumerate(entry.labels)
    ]
    quiet = ' class="quiet"' if entry.index is None else ""
    if entry.index is not None:
        lines.append(f'  <text class="index" x="{x + text_at - 10}" y="{y + 18}">{entry.index}</text>')
    lines.append(f'  <text{quiet} x="{x + text_at}" y="{y + 18}">{escape(_words(entry))}</text>')
    return lines


def _words(entry: LegendEntry) -> str:
    return f"{entry.name} (ignored)" if entry.index is None else entry.name
