from __future__ import annotations

import pytest

from ovrisisbench.adapters.text.class_names import as_written, first_synonym, query_words, synonyms
from ovrisisbench.adapters.text.templates import SCENE, fill
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.errors import AdapterError


@pytest.mark.parametrize(
    ("name", "first", "all_of_it", "parts", "words"),
    [
        ("road", "road", "road", ("road",), ("road",)),
        ("building, house", "building", "building, house", ("building", "house"), ("building", " house")),
        ("road,street", "road,street", "road,street", ("road,street",), ("road", "street")),
        (" Clutter/background ", " Clutter/background ", "Clutter/background", (" Clutter/background ",), None),
        ("Vögel {0}", "Vögel {0}", "Vögel {0}", ("Vögel {0}",), ("Vögel {0}",)),
    ],
)
def test_each_rule_is_its_official_codes(
    name: str, first: str, all_of_it: str, parts: tuple[str, ...], words: tuple[str, ...] | None
) -> None:
    assert first_synonym(name) == first
    assert as_written(name) == all_of_it
    assert synonyms(name) == parts
    assert query_words(name) == (words or (name,))


@pytest.mark.parametrize("rule", [as_written, first_synonym, synonyms, query_words])
@pytest.mark.parametrize("name", ["", "   "])
def test_no_model_is_prompted_with_nothing(rule, name: str) -> None:
    with pytest.raises(AdapterError, match="without a name"):
        rule(name)


def test_empty_parts_are_refused_where_parts_are_prompted() -> None:
    for rule, name in ((synonyms, "road, , street"), (query_words, "road,,street"), (first_synonym, ", street")):
        with pytest.raises(AdapterError, match="without a name"):
            rule(name)


def test_braces_in_a_class_name_stay_text() -> None:
    assert fill("a {}", "{0}") == "a {0}"


def test_tokens_are_clips() -> None:
    tokens = tokenise(["A Photo of a CAT"])[0]
    assert tokens[:7].tolist() == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert not tokens[7:].any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ROAD", "road"),
        ("low   vegetation", "low vegetation"),
        ("building &amp; house", "building & house"),
        ("cafÃ©", "café"),  # mended Unicode
    ],
)
def test_the_tokeniser_mends_what_clips_own_mends(one: str, other: str) -> None:
    first, second = tokenise([fill(SCENE[0], name) for name in (one, other)])
    assert first.equal(second)


def test_slashes_and_hyphens_are_pieces_of_their_own() -> None:
    (slash,), (hyphen,) = tokenise(["Clutter/background"]), tokenise(["no-data"])
    assert int((slash > 0).sum()) == 2 + 3
    assert int((hyphen > 0).sum()) == 2 + 3
