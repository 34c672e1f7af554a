from __future__ import annotations

import pytest

from ovrisisbench.adapters.segearth_ov.settings import SETTINGS, Settings
from ovrisisbench.errors import AdapterError


def test_every_default_is_a_legal_value_and_means_no_threshold() -> None:
    defaults = {name: setting.default for name, setting in SETTINGS.items()}
    parsed = Settings.parse("SegEarth-OV", defaults)
    assert parsed == Settings.parse("SegEarth-OV", {}) == Settings("auto", 0.0, None)
    assert parsed.background_index(["road"]) is None


@pytest.mark.parametrize(("said", "index"), [("clutter", 1), ("water, river", 2), ("0", 0), ("2", 2), ("7", 3)])
def test_the_background_is_a_name_or_a_number(said: str, index: int) -> None:
    parsed = Settings.parse("SegEarth-OV", {"probability_threshold": "0.1", "background": said})
    assert parsed.threshold == 0.1
    assert parsed.background_index(["road", "clutter", "water, river", "7"]) == index


@pytest.mark.parametrize("said", ["4", "-1", "²", "clutter,", "Road"])
def test_a_background_that_is_no_class_is_refused_with_the_classes(said: str) -> None:
    parsed = Settings.parse("SegEarth-OV", {"probability_threshold": "0.1", "background": said})
    with pytest.raises(AdapterError, match=r"is no class of this vocabulary; give one of road, .*number from 0 to 3\."):
        parsed.background_index(["road", "clutter", "water, river", "tree"])


def test_a_background_without_a_threshold_has_no_effect() -> None:
    parsed = Settings.parse("SegEarth-OV", {"background": "nowhere"})
    assert parsed.background is None
    assert parsed.background_index(["road"]) is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"probability_threshold": "0.1"}, "needs to know which class takes the pixels below it; say background=NAME"),
        ({"probability_threshold": "1.5"}, "probability_threshold=1.5 is not possible; give a number from 0 to 1"),
        ({"probability_threshold": "-0.1"}, "give a number from 0 to 1"),
        ({"probability_threshold": "nan"}, "give a number from 0 to 1"),
        ({"probability_threshold": "much"}, "probability_threshold=much is not possible"),
        ({"threshold": "0.1"}, "SegEarth-OV has no setting 'threshold'"),
        ({"linears": "fast"}, "linears=fast is not possible; choose one of auto, plain, packed"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(AdapterError, match=sentence):
        Settings.parse("SegEarth-OV", given)
