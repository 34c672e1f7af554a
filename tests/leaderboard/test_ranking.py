from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.leaderboard.ranking import ranks

values = st.lists(st.none() | st.floats(0, 100) | st.sampled_from([1.0, 2.0]), max_size=8)


@given(values)
def test_the_best_is_the_maximum_and_the_second_the_next_value(figures):
    marks = ranks(figures)
    competing = sorted({value for value in figures if value is not None}, reverse=True)
    enough = sum(value is not None for value in figures) > 1
    for value, mark in zip(figures, marks, strict=True):
        expected = ""
        if enough and value is not None:
            expected = {0: "best", 1: "second"}.get(competing.index(value), "")
        assert mark == expected


def test_equal_values_share_a_mark():
    assert ranks([2.0, 2.0, 1.0, 1.0]) == ["best", "best", "second", "second"]


def test_one_value_is_no_comparison():
    assert ranks([None, 5.0, None]) == ["", "", ""]
    assert ranks([]) == []


def test_values_that_print_alike_are_still_told_apart():
    assert ranks([36.7501, 36.7502]) == ["second", "best"]
