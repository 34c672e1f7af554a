"""Every recorded number of the official implementations, reproduced from files loaded like a user's.

``pytest tests/parity`` runs one case of each model, ``--all-parity-cases`` all
that are in the repository, ``--parity-cases DIR`` those of another folder as
well. ``-rP`` shows the differences of passed cases.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.parity import cat_seg_family, rskt_seg, san, scan, sed, segearth_ov
from tests.parity.case import ParityCase, find_cases
from tests.parity.selection import ALWAYS

OWN_CASES = Path(__file__).with_name("cases")

DRIVERS: dict[str, ModuleType] = {
    "RSKT-Seg": rskt_seg,
    "catseg": cat_seg_family,
    "ovrs": cat_seg_family,
    "gsnet": cat_seg_family,
    "SCAN": scan,
    "SAN": san,
    "SED": sed,
    "SegEarth-OV": segearth_ov,
}
"""From a manifest's ``model`` to the module that drives it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    own = find_cases(OWN_CASES, DRIVERS)
    if not metafunc.config.getoption("--all-parity-cases"):
        own = [case for case in own if case.name in ALWAYS]
    others = [
        case for folder in metafunc.config.getoption("--parity-cases") for case in find_cases(Path(folder), DRIVERS)
    ]
    metafunc.parametrize("case", [*own, *others], ids=lambda case: case.name)


@pytest.mark.slow
def test_official_outputs_are_reproduced(case: ParityCase, tmp_path: Path) -> None:
    driver = DRIVERS[case.model]
    if reason := driver.reason_to_skip(case):
        pytest.skip(reason)
    comparisons = []
    try:
        for comparison in driver.compare(case, tmp_path):
            print(f"{case.name} {comparison}")  # noqa: T201 - shown by -rP
            comparisons.append(comparison)
    finally:
        for path in tmp_path.iterdir():  # a checkpoint has up to 2 GB
            path.unlink()
    assert not [str(comparison) for comparison in comparisons if not comparison.holds]
    left = set(case.recorded) - {comparison.name for comparison in comparisons} - set(driver.NOT_COMPARED)
    assert not left, f"recorded but not compared: {sorted(left)}"


def test_every_model_has_a_case_in_every_test_run() -> None:
    names = {case.name: case.model for case in find_cases(OWN_CASES, DRIVERS)}
    assert {names[case] for case in ALWAYS} == set(DRIVERS)
