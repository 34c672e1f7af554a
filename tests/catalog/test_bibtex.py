"""Citations: BibTeX that keeps acronyms and special characters, and one line for people."""

import pytest
from pydantic import ValidationError

from ovrisisbench.catalog import load_cards
from ovrisisbench.catalog.bibtex import Citation, bibtex

ARTICLE = {
    "type": "article",
    "authors": ["Doe, Jane", "Müller & Søn, K."],
    "title": "UAVid & iSAID: 50% of Road_Types in 3D, a Sentinel-2 story by LoveDA-like Means",
    "journal": "Journal of R&D",
    "volume": "12",
    "number": "3",
    "pages": "108-119",
    "year": 2020,
    "doi": "10.1007/978-3-030-03398-9_30",
}
KEYS = {
    "dlrsd": ["shao2018dlrsd", "yang2010ucmerced", "chaudhuri2017multilabel"],
    "isaid": ["waqas2019isaid", "xia2018dota", "yao2021sdm"],
    "loveda": ["wang2021loveda"],
    "potsdam": ["rottensteiner2012isprs"],
    "uavid": ["lyu2020uavid"],
    "udd5": ["chen2018large"],
    "vaihingen": ["rottensteiner2012isprs", "cramer2010dgpf"],
    "vdd": ["cai2025vdd", "cai2023vdd"],
}


def citation(**changes):
    return Citation(key="doe2020", about="everything", entry={**ARTICLE, **changes})


def test_an_entry_is_escaped_and_its_acronyms_are_kept_from_lower_case():
    assert bibtex(citation()).splitlines() == [
        "@article{doe2020,",
        r"  author  = {Doe, Jane and Müller \& Søn, K.},",
        r"  title   = {{UAVid} \& {iSAID}: 50\% of Road\_Types in {3D}, a Sentinel-2 story by {LoveDA}-like Means},",
        r"  journal = {Journal of R\&D},",
        "  volume  = {12},",
        "  number  = {3},",
        "  pages   = {108--119},",
        "  year    = {2020},",
        "  doi     = {10.1007/978-3-030-03398-9_30},",
        "}",
    ]


def test_further_authors_are_and_others():
    entry = citation(authors=["Doe, Jane", "others"])
    assert "author  = {Doe, Jane and others}," in bibtex(entry)
    assert entry.text.startswith("Doe and others: ")


def test_the_line_for_people_is_made_from_the_entry():
    line = citation(title="A title", authors=["Doe, Jane", "Roe, R."]).text
    assert line == "Doe, Roe: A title. Journal of R&D 12(3), 108-119, 2020."


def test_a_line_names_at_most_six_authors():
    assert citation(authors=[f"Doe{number}, J." for number in range(7)]).text.startswith("Doe0 and others: ")


def test_a_preprint_gives_its_number():
    entry = citation(type="misc", journal=None, volume=None, number=None, pages=None, doi=None, eprint="2305.13608")
    assert "  eprint        = {2305.13608}," in bibtex(entry)
    assert "  archiveprefix = {arXiv}," in bibtex(entry)
    assert entry.text.endswith(". arXiv:2305.13608, 2020.")


def test_a_citation_of_text_alone_becomes_a_note():
    text = Citation(key="own", about="everything", text="My lab: 100% mine.")
    assert bibtex(text) == "@misc{own,\n  note = {My lab: 100\\% mine.},\n}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"journal": None}, "journal: an entry of type 'article' needs it"),
        ({"type": "inproceedings"}, "booktitle: an entry of type 'inproceedings' needs it"),
        ({"type": "misc"}, "eprint: an entry of type 'misc' needs it"),
        ({"authors": ["Jane Doe"]}, "not 'Jane Doe'"),
        ({"authors": ["Doe, Jane and Roe, R."]}, "not 'Doe, Jane and Roe, R.'"),
        ({"authors": ["others"]}, "not 'others'"),
        ({"authors": ["others", "Doe, Jane"]}, "not 'others'"),
        ({"doi": "https://doi.org/10.1/x"}, "doi"),
        ({"pages": "108--119"}, "pages"),
        ({"year": 20}, "year"),
        ({"editor": "Roe, R."}, "editor"),
    ],
)
def test_a_wrong_entry_is_refused_by_field(changes, field):
    with pytest.raises(ValidationError) as caught:
        citation(**changes)
    assert field in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "a,b", "a{b", ""])
def test_a_key_that_bibtex_cannot_read_is_refused(key):
    with pytest.raises(ValidationError, match="key"):
        Citation(key=key, about="everything", text="x")


def test_a_citation_needs_an_entry_or_a_text():
    with pytest.raises(ValidationError, match="give either the entry, or the text"):
        Citation(key="doe2020", about="everything")


def test_every_card_says_what_to_cite_with_an_entry_for_each():
    cited = {card.key: [found.key for found in card.citations] for card in load_cards() if not card.drawn_after}
    assert all(cited.values())
    assert {key: cited[key] for key in KEYS} == KEYS
    for card in load_cards():
        for found in card.citations:
            assert found.entry is not None
            assert str(found.entry.year) in found.key
            assert found.entry.authors[0].split(",")[0].split()[0].lower() in found.key


def test_a_publication_cited_by_two_cards_is_the_same_on_both():
    entries = {}
    for card in load_cards():
        for found in card.citations:
            assert entries.setdefault(found.key, found.entry) == found.entry
