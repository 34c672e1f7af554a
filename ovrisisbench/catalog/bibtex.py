"""What to cite: the publications of a card, as one line for people and as BibTeX."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ovrisisbench.catalog.yaml_files import CatalogModel
from ovrisisbench.markup import escape_latex

__all__ = ["Citation", "Publication", "bibtex"]

_OTHERS: Final = "others"
_MOST_NAMED: Final = 6
"""Authors that a line for people names; with more, it names the first."""
_VENUE_OF: Final = {"article": "journal", "inproceedings": "booktitle", "misc": "eprint"}
_NAME: Final = re.compile(r"(?!.*\band\b)[^,\s][^,]*, [^,]*[^,\s]")


class Publication(CatalogModel):
    """The fields of a BibTeX entry."""

    type: Literal["article", "inproceedings", "misc"]
    authors: Annotated[tuple[str, ...], Field(min_length=1)]
    """``Last, First`` each; a last ``others`` stands for those who are not named."""
    title: str
    year: Annotated[int, Field(ge=1900, le=2100)]
    journal: str | None = None
    """Needed by an article."""
    booktitle: str | None = None
    """Needed by a paper in proceedings."""
    eprint: str | None = Field(default=None, pattern=r"^\d{4}\.\d{4,5}$")
    """Number on arXiv; needed where there is no other venue."""
    volume: str | None = None
    number: str | None = None
    pages: str | None = Field(default=None, pattern=r"^\d+(-\d+)?$")
    """``108-119``, or the number of the article."""
    publisher: str | None = None
    doi: str | None = Field(default=None, pattern=r"^10\.\d{4,9}/[^\s{}%\\]+$")

    @field_validator("authors")
    @classmethod
    def _names(cls, authors: tuple[str, ...]) -> tuple[str, ...]:
        named = authors[:-1] if authors[-1] == _OTHERS else authors
        odd = [author for author in named if not _NAME.fullmatch(author)]
        if odd or not named:
            wrong = odd[0] if odd else _OTHERS
            raise ValueError(f"give each author as 'Last, First', and 'others' only after them, not '{wrong}'")
        return authors

    @model_validator(mode="after")
    def _has_venue(self) -> Publication:
        if getattr(self, _VENUE_OF[self.type]) is None:
            raise ValueError(f"{_VENUE_OF[self.type]}: an entry of type '{self.type}' needs it")
        return self

    def line(self) -> str:
        """Return authors, title, venue and year as one line of plain text."""
        surnames = [author.partition(",")[0] for author in self.authors if author != _OTHERS]
        if len(surnames) > _MOST_NAMED:
            authors = f"{surnames[0]} and others"
        else:
            authors = ", ".join(surnames) + (" and others" if self.authors[-1] == _OTHERS else "")
        venue = self.journal or self.booktitle or f"arXiv:{self.eprint}"
        volume = "" if self.volume is None else f" {self.volume}"
        number = "" if self.number is None else f"({self.number})"
        pages = "" if self.pages is None else f", {self.pages}"
        return f"{authors}: {self.title}. {venue}{volume}{number}{pages}, {self.year}."


class Citation(CatalogModel):
    """A publication to cite when using the data."""

    key: str = Field(pattern=r"^[^\s{},#%\\\"']+$")
    """As in a ``.bib`` file."""
    about: str
    """What of the data it describes."""
    entry: Publication | None = None
    text: str = Field(default="", validate_default=True)
    """One line for people; made from ``entry`` where that is given."""

    @field_validator("text")
    @classmethod
    def _line(cls, text: str, info: ValidationInfo) -> str:
        entry: Publication | None = info.data.get("entry")
        if not text and entry is None:
            raise ValueError("give either the entry, or the text where no entry can be given")
        return text or (entry.line() if entry else "")


def bibtex(citation: Citation) -> str:
    """Return the BibTeX entry of a citation, several lines without a last line break.

    Words with capitals inside them are protected by braces, so that no style
    turns iSAID into Isaid; special characters are escaped, but not in the
    DOI, which styles print through a command of their own.

    Args:
        citation: one without ``entry`` becomes ``@misc`` with its text as a note.
    """
    entry = citation.entry
    if entry is None:
        return _block("misc", citation.key, {"note": escape_latex(citation.text)})
    fields = {
        "author": " and ".join(map(escape_latex, entry.authors)),
        "title": _protected(entry.title),
        "journal": entry.journal and escape_latex(entry.journal),
        "booktitle": entry.booktitle and escape_latex(entry.booktitle),
        "volume": entry.volume and escape_latex(entry.volume),
        "number": entry.number and escape_latex(entry.number),
        "pages": entry.pages and entry.pages.replace("-", "--"),
        "publisher": entry.publisher and escape_latex(entry.publisher),
        "year": str(entry.year),
        "eprint": entry.eprint,
        "archiveprefix": entry.eprint and "arXiv",
        "doi": entry.doi,
    }
    return _block(entry.type, citation.key, {name: value for name, value in fields.items() if value})


def _block(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    lines = [f"  {name:<{width}} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _protected(title: str) -> str:
    # Whatever has a capital after its first letter: iSAID, UAV, LoveDA, 3D. Hyphens separate words.
    return re.sub(r"[^\W_]+", lambda word: _braced(word[0]), escape_latex(title))


def _braced(word: str) -> str:
    return f"{{{word}}}" if any(letter.isupper() for letter in word[1:]) else word
