"""Pages and legends of data sets: everything of the card is there, and nothing of it breaks the page."""

import json
import re
import xml.etree.ElementTree as ET

import pytest
import yaml

from ovrisisbench.catalog import load_card, load_cards, load_vocabulary
from ovrisisbench.catalog.bibtex import bibtex
from ovrisisbench.catalog.cards import DatasetCard
from ovrisisbench.catalog.evidence import evidence_words
from ovrisisbench.catalog.legend import hex_colour, legend, legend_svg
from ovrisisbench.catalog.pages import card_page
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.markup import escape_markdown

SVG = "{http://www.w3.org/2000/svg}"
CARDS = load_cards()
every_card = pytest.mark.parametrize("card", CARDS, ids=[card.key for card in CARDS])


def changed(**changes):
    content = yaml.safe_load(installed_files("datasets")["loveda"].read_text())
    content.update(changes)
    return DatasetCard.model_validate(content)


def cells(line):
    return re.split(r"(?<!\\)\|", line.strip()[1:-1])


def rows(page, first_heading):
    after = page.partition(f"| {first_heading} |")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in cells(line)] for line in after[2:]]


@every_card
def test_a_page_holds_what_its_card_knows(card):
    page = card_page(card)
    texts = [card.summary, card.licence, card.sensor, *card.traps, *card.open_questions]
    texts += [text for item in card.downloads for text in (item.archive, item.contains, item.source)]
    texts += [variant.why for variant in card.variants]
    texts += [text for layout in card.layouts for text in (layout.title, layout.note)]
    for text in texts:
        assert escape_markdown(text) in page, text
    for download in card.downloads:
        assert download.md5 is None or download.md5 in page
    for layout in card.layouts:
        assert all(f"- `{path}`\n" in page for path in layout.paths)
    for citation in card.citations:
        assert bibtex(citation) in page
    for variant in card.variants:
        assert all(f"{name} {count:,}" in page for name, count in variant.counts.items() if name != "all")
        assert variant.total is None or f"Images: {variant.total:,}" in page
        assert f"({evidence_words(variant.counts_evidence)})" in page


@every_card
def test_the_table_of_classes_follows_the_label_map(card):
    table = rows(card_page(card), "index")
    names = load_vocabulary(card.variant().vocabulary).class_names
    assert len(table) == len(card.classes) + len(card.other_labels)
    for index, name, publishers, original_id, colour, *_ in table:
        label = card.label(publishers.replace("\\", ""))
        expected = card.variant().labels[label.name]
        assert index == ("ignored" if expected == "ignore" else str(expected))
        assert name == ("–" if expected == "ignore" else names[expected])
        assert original_id == ("–" if label.original_id is None else str(label.original_id))
        assert colour == f"`{hex_colour(label.colour)}`"


@every_card
def test_all_rows_of_a_table_have_as_many_cells_as_its_head(card):
    for table in re.findall(r"(?:^\|.*\n)+", card_page(card), re.MULTILINE):
        assert len({len(cells(line)) for line in table.splitlines()}) == 1, table


@every_card
def test_a_page_shows_the_legend_beside_it(card):
    assert f"]({card.key}.svg)" in card_page(card)


@every_card
def test_a_legend_shows_every_class_with_its_colour_in_label_order(card):
    picture = ET.fromstring(legend_svg(card))
    swatches = [shape.get("fill") for shape in picture.iter(f"{SVG}rect") if shape.get("class") == "swatch"]
    assert swatches == [hex_colour(label.colour) for entry in legend(card) for label in entry.labels]
    indices = [text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "index"]
    names = load_vocabulary(card.variant().vocabulary).class_names
    assert indices == [str(index) for index in range(len(names))]
    words = [text.text for text in picture.iter(f"{SVG}text") if text.get("class") != "index"]
    assert words[: len(names)] == list(names)
    assert all(word.endswith("(ignored)") for word in words[len(names) :])


@every_card
def test_nothing_of_a_legend_lies_outside_its_frame(card):
    picture = ET.fromstring(legend_svg(card))
    width, height = int(picture.get("width")), int(picture.get("height"))
    for text in picture.iter(f"{SVG}text"):
        room = 0 if text.get("class") == "index" else 8 * len(text.text)
        assert float(text.get("x")) + room <= width - 8
        assert 0 < float(text.get("y")) < height - 4


def test_a_legend_is_readable_on_light_and_dark_pages():
    style = legend_svg(load_card("isaid"))
    light, dark = style.split("prefers-color-scheme: dark")
    for half in (light, dark):
        panel, text = (re.search(rf"{name} \{{ fill: #(\w{{6}})", half)[1] for name in (r"\.panel", "text"))
        assert _contrast(panel, text) > 10
        assert _contrast(panel, re.search(r"quiet \{ fill: #(\w{6})", half)[1]) > 4.5
        assert _contrast(panel, re.search(r"swatch \{ stroke: #(\w{6})", half)[1]) > 3


def _contrast(first, second):
    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted(map(luminance, (first, second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_labels_that_share_a_value_stand_in_one_row_of_the_legend():
    card = load_card("uavid")
    content = card.model_dump(mode="json")
    content["variants"][0]["labels"] = {
        name: (index if index == "ignore" or index < 6 else index - 1) for name, index in card.variant().labels.items()
    }
    merged = DatasetCard.model_validate(json.loads(json.dumps(content)))
    entries = [
        (entry.index, [label.name for label in entry.labels])
        for entry in legend(merged)
        if entry.index is not None and len(entry.labels) > 1
    ]
    assert entries == [(5, ["Moving car", "Static car"])]


def test_text_of_a_card_cannot_break_the_page():
    summary = "1. a | b <script>alert(1)</script>\n# not a heading `code` *stars* [x](y)"
    page = card_page(changed(summary=summary, licence="- a|b", traps=["+ a list", "2) a list"]))
    assert r"1\. a \| b &lt;script&gt;" in page
    assert "<script>" not in page
    assert "\n# not" not in page
    assert r"\`code\` \*stars\* \[x\](y)" in page
    assert r"**Licence.** \- a\|b" in page
    assert r"- \+ a list" in page
    assert r"- 2\) a list" in page


def test_names_of_a_card_cannot_break_the_picture():
    content = yaml.safe_load(installed_files("datasets")["loveda"].read_text())
    content.pop("checkup", None)
    content["other_labels"][0]["name"] = "<a & b>"
    content["title"] = 'A "title" <x>'
    for variant in content["variants"]:
        variant["labels"]["<a & b>"] = "ignore" if variant["name"].startswith("v2") else variant["labels"]["no-data"]
        del variant["labels"]["no-data"]
    content["default_variant"] = "v2-7-classes"
    card = DatasetCard.model_validate(content)
    picture = ET.fromstring(legend_svg(card))
    assert "<a & b> (ignored)" in [text.text for text in picture.iter(f"{SVG}text")]
    assert picture.find(f"{SVG}title").text.startswith('A "title" <x>:')


def test_a_card_without_the_optional_parts_has_no_empty_sections():
    page = card_page(changed(citations=[], traps=[], open_questions=[], downloads=[], splits=[], gsd_m=None))
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == ["Download", "Classes", "Variants", "Layouts"]
    assert "varies or is not known" in page


def test_a_variant_says_where_its_label_map_differs_from_the_default_one():
    page = card_page(load_card("loveda"))
    assert page.count("Label map other than in the default variant") == 1
    assert "forest 5, agriculture 6, no-data ignored (inferred" in page


def test_windows_are_described_with_how_sure_the_rule_is():
    page = card_page(load_card("isaid"))
    assert "256 x 256 pixels every 206, the last window of a row or column is moved back to the border, kept" in page
    assert "kept when more than 10% of the pixels are labelled (recovered by experiment on real files)" in page
    assert "what is left at the border is dropped" in card_page(load_card("potsdam"))
    assert "none, every image is evaluated whole" in card_page(load_card("vdd"))
