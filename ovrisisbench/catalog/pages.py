"""One page of documentation for each data set, made from its card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ovrisisbench.catalog.bibtex import bibtex
from ovrisisbench.catalog.cards import DatasetCard, Layout, Split, Variant, WindowRule
from ovrisisbench.catalog.evidence import evidence_words
from ovrisisbench.catalog.legend import hex_colour, legend, legend_svg
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.markup import escape_markdown

__all__ = ["card_page", "legend_svg"]

_NONE: Final = "–"
_LAST: Final = {
    "clamped": "the last window of a row or column is moved back to the border",
    "dropped": "what is left at the border is dropped",
}


def card_page(card: DatasetCard) -> str:
    """Return the page of a data set as Markdown.

    It shows the legend of :func:`~ovrisisbench.catalog.legend.legend_svg`,
    which is expected beside it under the name ``<key>.svg``.
    """
    parts = [
        f"<!-- Made from splits/datasets/{card.key}.yaml: edit that, then REWRITE_DOCS=1 pytest tests/test_docs.py -->",
        f"# {_text(card.title)}",
        _text(card.summary),
        _facts(card),
        *_section("Download", [_downloads(card), f"**Licence.** {_text(card.licence)}"]),
        *_section("Classes", _classes(card)),
        *_section("Splits of the publisher", _splits(card)),
        *_section("Variants", [_variants_head(card), *(_variant(card, variant) for variant in card.variants)]),
        *_section("Layouts", [_layouts_head(card), *map(_layout, card.layouts)]),
        *_section("Traps", [_bullets(map(_text, card.traps))]),
        *_section("Open questions", [_bullets(map(_text, card.open_questions))]),
        *_section("Citation", _citations(card)),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, parts: Iterable[str]) -> list[str]:
    filled = [part for part in parts if part]
    return [f"## {title}", *filled] if filled else []


def _facts(card: DatasetCard) -> str:
    pixel = "varies or is not known" if card.gsd_m is None else f"{card.gsd_m:g} m"
    rows = [
        ("key", _code(card.key)),
        ("sensor", _text(card.sensor)),
        ("size of a pixel", pixel),
        ("bands", f"{_text(card.bands)}, {card.dtype}"),
        ("size of an image", _text(card.image_size)),
        ("scene", _text(card.scene_key)),
    ]
    return _table(rows[0], rows[1:])


def _downloads(card: DatasetCard) -> str:
    rows = [
        (
            _text(item.what),
            _text(item.archive),
            _text(item.contains) or _NONE,
            _code(item.md5) if item.md5 else "not known",
            _text(item.source),
            evidence_words(item.evidence),
        )
        for item in card.downloads
    ]
    return _table(("what", "archive", "contents", "md5", "from", "evidence"), rows) if rows else ""


def _classes(card: DatasetCard) -> list[str]:
    variant = card.variant()
    vocabulary = load_vocabulary(variant.vocabulary)
    rows = [
        [
            "ignored" if entry.index is None else str(entry.index),
            _NONE if entry.index is None else _text(entry.name),
            _text(label.name),
            _NONE if label.original_id is None else str(label.original_id),
            _code(hex_colour(label.colour)),
            _text(label.use),
        ]
        for entry in legend(card)
        for label in entry.labels
    ]
    heads = ["index", "class name", "publisher's name", "id", "colour", "remark"]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    without_ids = any(label.original_id is None for label in card.classes)
    explained = (
        f"Index = value in the label map of the default variant {_code(variant.name)}; ignored = 255, counted nowhere. "
        f"Id and colour are those of the publisher's masks{', pictures in colours without ids' if without_ids else ''}."
    )
    sure = (
        f"Map from the publisher's classes: {evidence_words(variant.labels_evidence)}. "
        f"Class names of {_code(vocabulary.name)}: {evidence_words(vocabulary.evidence)}. {_text(vocabulary.source)}"
    )
    picture = f"![Colours, label values and names of the classes of {_text(card.title)}]({card.key}.svg)"
    return [picture, explained, _table(heads, rows), sure]


def _splits(card: DatasetCard) -> list[str]:
    rows = [
        (
            _text(split.name),
            "not settled" if split.images is None else f"{split.images:,}",
            "not settled" if split.labelled is None else f"{split.labelled:,}",
            _text(split.rule) or _NONE,
            evidence_words(split.evidence),
        )
        for split in card.splits
    ]
    table = _table(("split", "images", "with a public mask", "how one tells", "evidence"), rows) if rows else ""
    return [table, _bullets(_split_ids(split) for split in card.splits if split.ids)]


def _split_ids(split: Split) -> str:
    return f"{_text(split.name)}: {', '.join(map(_code, split.ids))}"


def _variants_head(card: DatasetCard) -> str:
    return (
        "A variant is one reading of the data set; a number belongs to exactly one. "
        f"The default is {_code(card.default_variant)}; others are chosen with `prepare --variant`."
        if len(card.variants) > 1
        else "A variant is one reading of the data set; a number belongs to exactly one."
    )


def _variant(card: DatasetCard, variant: Variant) -> str:
    default = " (default)" if variant.name == card.default_variant else ""
    lines = [f"Vocabulary: {_code(variant.vocabulary)}.", f"Images: {_counts(variant)}."]
    lines.append(f"Windows: {_windows(variant.windows)}.")
    if variant.aliases:
        lines.append(f"Also called: {', '.join(map(_code, variant.aliases))}.")
    if variant.mask_set:
        lines.append(f"Masks: the {_text(variant.mask_set)} ones of the publisher.")
    if variant.layouts:
        lines.append(f"Only from layout {', '.join(map(_code, variant.layouts))}.")
    changed = _changed_labels(card, variant)
    if changed:
        lines.append(
            f"Label map other than in the default variant: {changed} ({evidence_words(variant.labels_evidence)})."
        )
    heading = f"### {_text(variant.name)}{default}: {_text(variant.title)}"
    return "\n\n".join([heading, _text(variant.why), _bullets(lines)])


def _counts(variant: Variant) -> str:
    counts = [f"{_text(name)} {count:,}" for name, count in variant.counts.items() if name != "all"]
    if variant.total is None:
        return "number not known"
    total = f"{variant.total:,}" + (f" = {' + '.join(counts)}" if counts else "")
    return f"{total} ({evidence_words(variant.counts_evidence)})"


def _windows(rule: WindowRule | None) -> str:
    if rule is None:
        return "none, every image is evaluated whole"
    kept = f", kept when more than {rule.keep_above:.0%} of the pixels are labelled" if rule.keep_above else ""
    note = f". {_text(rule.note.rstrip('.'))}" if rule.note else ""
    return (
        f"{rule.size} x {rule.size} pixels every {rule.stride}, {_LAST[rule.last]}{kept} "
        f"({evidence_words(rule.evidence)}){note}"
    )


def _changed_labels(card: DatasetCard, variant: Variant) -> str:
    usual = card.variant().labels
    changed = [
        f"{_text(name)} {'ignored' if index == 'ignore' else index}"
        for name, index in variant.labels.items()
        if index != usual[name]
    ]
    return ", ".join(changed)


def _layouts_head(card: DatasetCard) -> str:
    return (
        "How the data may lie below the folder or archive given to `prepare --from`. "
        f"`ovrisis-bench datasets {card.key}` says which of these the installed release reads."
    )


def _layout(layout: Layout) -> str:
    note = f" {_text(layout.note)}" if layout.note else ""
    head = f"**{_text(layout.name)}**: {_text(layout.title)} ({evidence_words(layout.evidence)}).{note}"
    return "\n\n".join([head, _bullets(map(_code, layout.paths))])


def _citations(card: DatasetCard) -> list[str]:
    if not card.citations:
        return []
    entries = "\n\n".join(bibtex(citation) for citation in card.citations)
    lines = [f"{_text(citation.text)} For {_text(citation.about)}." for citation in card.citations]
    return [_bullets(lines), f"```bibtex\n{entries}\n```"]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _text(text: str) -> str:
    # What starts a list would start one inside an item or a paragraph as well.
    return re.sub(r"^(\d*)([-+.)])(?=\s)", r"\1\\\2", escape_markdown(text))


def _code(text: str) -> str:
    # A pipe would end the cell of a table even here, and nothing but an entity outside code can replace it.
    if "|" in text or "`" in text:
        return f"<code>{escape_markdown(text)}</code>"
    return f"`{text}`"
