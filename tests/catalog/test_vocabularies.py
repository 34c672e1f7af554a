"""Vocabularies are ordered lists of distinct, usable names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.catalog import checked_class_names, load_vocabulary
from ovrisisbench.errors import CatalogError


def test_the_names_keep_spelling_and_order_of_the_official_lists():
    assert load_vocabulary("loveda-v1").class_names[:2] == ("no-data", "Background")
    assert load_vocabulary("potsdam-v1").class_names[-1] == "Clutter/background"
    assert len(load_vocabulary("dlrsd-v1").class_names) == 17


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "is empty"),
        (["road", "  "], "class 1 of the class list is blank"),
        (["road", "water", "Road"], "'Road' stands in the class list twice, as classes 0 and 2"),
        ([f"class {index}" for index in range(256)], "at most 255"),
    ],
)
def test_an_unusable_class_list_is_refused_in_words(names, sentence):
    with pytest.raises(CatalogError, match=sentence):
        checked_class_names(names, where="mine.txt")


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=40, unique_by=lambda n: n.strip().lower()))
def test_any_distinct_names_are_kept_as_they_are(names):
    assert checked_class_names(names, where="mine.txt") == tuple(names)


def test_an_unknown_vocabulary_gets_a_suggestion():
    with pytest.raises(CatalogError, match="Did you mean 'loveda-v"):
        load_vocabulary("loveda-v3x")
