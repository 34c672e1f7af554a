"""check-adapter passes what keeps the contract and names what does not."""

import pytest

from ovrisisbench.adapter import FoundAdapter, LoadOptions, find_adapter
from ovrisisbench.adapter.contract import check_adapter
from tests.adapter import drawn_adapters

OPTIONS = LoadOptions(backbone="none")


def _failed(adapter_class) -> dict[str, str]:
    found = FoundAdapter(adapter_class.info, "tests", adapter_class)
    return {check.name: check.detail for check in check_adapter(found, OPTIONS) if not check.passed}


def test_an_adapter_that_keeps_the_contract_passes_every_check():
    found = FoundAdapter(drawn_adapters.Brightness.info, "tests", drawn_adapters.Brightness)
    checks = check_adapter(found, OPTIONS)
    assert len(checks) == 10
    assert all(check.passed for check in checks)


@pytest.mark.parametrize("name", ["random", "most-frequent"])
def test_the_floors_keep_the_contract(name):
    assert all(check.passed for check in check_adapter(find_adapter(name), OPTIONS))


@pytest.mark.parametrize(
    ("adapter_class", "check", "detail"),
    [
        (drawn_adapters.DependsOnBatch, "alone and in a batch", "differ by up to 2"),
        (drawn_adapters.NotFinite, "finite", "drawn_0"),
        (drawn_adapters.WrongType, "float32 map", "float64"),
        (drawn_adapters.ForgetsVocabulary, "change of vocabulary", "4 classes for a vocabulary of 2"),
        (drawn_adapters.WritesIntoImages, "leaves the images", "wrote into its input"),
        (drawn_adapters.CannotLoad, "loads", "The weights are not here"),
        (drawn_adapters.Odd, "plain values", "not JSON serializable"),
    ],
)
def test_a_broken_promise_is_named(adapter_class, check, detail):
    failed = _failed(adapter_class)
    matching = [text for name, text in failed.items() if check in name]
    assert matching
    assert detail in matching[0]
