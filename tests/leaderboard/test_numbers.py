from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.leaderboard.families import backbone_family, family_order
from ovrisisbench.leaderboard.numbers import mean_of, percent, percent_text


@given(st.lists(st.integers(0, 10000), min_size=1, max_size=12))
def test_the_mean_of_printed_figures_is_exact(hundredths):
    exact = Fraction(sum(hundredths), 100 * len(hundredths))
    assert mean_of([value / 100 for value in hundredths]) == float(exact)


@given(st.integers(0, 10**6))
def test_a_fraction_of_six_digits_is_an_exact_percentage(millionths):
    assert percent(millionths / 10**6) == millionths / 10**4


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (100.0, "100.00"), (35.775, "35.78"), (46.185, "46.19"), (1e-07, "0.00"), (99.995, "100.00")],
)
def test_halves_are_rounded_up(value, text):
    assert percent_text(value) == text


@pytest.mark.parametrize(
    ("backbone", "family"),
    [
        ("vit-b", "B"),
        ("ViT-B/16", "B"),
        ("ConvNeXt-B", "B"),
        ("convnext_base", "B"),
        ("vit-l", "L"),
        ("ViT-L/14@336px", "L"),
        ("vit_large_patch14", "L"),
        ("ConvNeXt-L", "L"),
        ("ViT-H-14", "H"),
        ("RN50", "RN50"),
        ("resnet-101", "resnet-101"),
        ("none", "none"),
        ("my-backbone", "my-backbone"),
    ],
)
def test_sizes_are_read_from_backbone_names(backbone, family):
    assert backbone_family(backbone) == family


def test_sizes_come_before_names():
    assert sorted(["RN50", "L", "B", "H"], key=family_order) == ["B", "L", "H", "RN50"]
