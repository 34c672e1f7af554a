"""Models are found by entry point or file; broken and doubled ones are reported and skipped."""

from importlib.metadata import EntryPoint

import pytest

from ovrisisbench.adapter import find_adapter, list_adapters, registry
from ovrisisbench.errors import AdapterError


def _entry_points(monkeypatch, *points: tuple[str, str]):
    found = [EntryPoint(name, value, registry.ENTRY_POINT_GROUP) for name, value in points]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def test_our_own_models_come_through_the_entry_points():
    adapters, broken = list_adapters()
    assert {found.info.name for found in adapters} >= {"rskt-seg", "random", "most-frequent"}
    assert broken == []
    assert all(found.origin.startswith("ovrisisbench ") for found in adapters)


def test_a_broken_plug_in_is_reported_and_skipped(monkeypatch):
    _entry_points(
        monkeypatch, ("random", "ovrisisbench.adapters.floors:RANDOM"), ("theirs", "no_such_package_at_all:INFO")
    )
    adapters, broken = list_adapters()
    assert [found.info.name for found in adapters] == ["random"]
    assert broken[0].name == "theirs"
    assert "no_such_package_at_all" in broken[0].problem


def test_asking_for_a_broken_plug_in_says_what_is_wrong_with_it(monkeypatch):
    _entry_points(monkeypatch, ("theirs", "no_such_package_at_all:INFO"))
    with pytest.raises(AdapterError, match="ModuleNotFoundError"):
        find_adapter("theirs")


def test_two_packages_with_one_name_are_an_error_that_names_both(monkeypatch):
    _entry_points(
        monkeypatch, ("a", "ovrisisbench.adapters.floors:RANDOM"), ("b", "ovrisisbench.adapters.floors:RANDOM")
    )
    monkeypatch.setattr(registry, "_origin", lambda point: "package-a 1" if point.name == "a" else "package-b 2")
    with pytest.raises(AdapterError, match="package-a 1 and package-b 2"):
        find_adapter("random")


def test_an_entry_point_that_is_no_adapter_is_reported(monkeypatch):
    _entry_points(monkeypatch, ("odd", "json:dumps"))
    assert "neither an AdapterInfo nor a class" in list_adapters()[1][0].problem


def test_a_typing_error_gets_a_suggestion():
    with pytest.raises(AdapterError, match="Did you mean 'rskt-seg'"):
        find_adapter("rskt_seg")


GOOD = """
from tests.adapter.drawn_adapters import Brightness, NoPredict
class Mine(Brightness):
    pass
"""


def test_a_class_in_a_file_can_be_given(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    found = find_adapter(f"{path}:Mine")
    assert found.info.name == "brightness"
    assert found.origin == "mine.py"
    assert found.load_class().__name__ == "Mine"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("absent.py:Mine", "There is no file"),
        ("mine.py:Nobody", "Nobody of .*mine.py cannot be loaded: AttributeError"),
        ("mine.py:NoPredict", "lacks set_vocabulary, predict, describe"),
        ("broken.py:Mine", "cannot be loaded: ZeroDivisionError"),
        ("mine.py:Path", "cannot be loaded|neither"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path, reference, sentence):
    (tmp_path / "mine.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(AdapterError, match=sentence):
        find_adapter(f"{tmp_path}/{reference}")
