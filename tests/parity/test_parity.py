"""Every recorded number of the official implementations, reproduced from files loaded like a user's.

``pytest tests/parity --parity-cases DIR`` runs the cases of another folder as
well. ``-rP`` shows the differences of passed cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.evaluate import label_map
from tests.parity import rskt_seg
from tests.parity.case import Array, ParityCase, find_cases

OWN_CASES = Path(__file__).with_name("cases")

DRIVERS = {"RSKT-Seg": rskt_seg}
"""From a manifest's ``model`` to the module that drives it; other models register here."""

LEAST_AGREEMENT = 0.999
"""Share of pixels that must agree where a case does not mark those that are sure."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    folders = [OWN_CASES, *map(Path, metafunc.config.getoption("--parity-cases"))]
    cases = [case for folder in folders for case in find_cases(folder, DRIVERS)]
    metafunc.parametrize("case", cases, ids=lambda case: case.name)


@pytest.fixture
def checkpoint(case: ParityCase, tmp_path: Path) -> Iterator[Path]:
    if reason := DRIVERS[case.model].reason_to_skip(case):
        pytest.skip(reason)
    path = tmp_path / "model_final.pth"
    state = {name: torch.from_numpy(np.array(value)) for name, value in case.tensors()}
    torch.save({"model": state, "iteration": 30000}, path)
    del state
    yield path
    path.unlink()


@pytest.mark.slow
def test_official_outputs_are_reproduced(case: ParityCase, checkpoint: Path) -> None:
    driver = DRIVERS[case.model]
    found = dict(driver.run(case, checkpoint))
    found |= _on_the_image(found.pop("score_map"), case)

    failures = []
    for name, reference in case.recorded.items():
        if name in ("argmax", "sure"):
            continue
        value = case.as_recorded(name, found[name], driver.usual_slicing(name))
        assert value.shape == reference.shape, f"{name}: {value.shape}, recorded {reference.shape}"
        worst = float(np.abs(value.astype(np.float64) - reference.astype(np.float64)).max())
        limit = driver.tolerance(case, name, reference)
        print(f"{case.name} {name}: worst difference {worst:.1e}, limit {limit:.1e}")  # noqa: T201 - shown by -rP
        if not worst <= limit:
            failures.append(f"{name} {worst:.1e} > {limit:.1e}")

    same = found["argmax"] == case.recorded["argmax"]
    sure = case.recorded.get("sure")
    if sure is None:
        print(f"{case.name} argmax: {same.mean():.5f} of the pixels agree")  # noqa: T201 - as above
        if same.mean() < LEAST_AGREEMENT:
            failures.append(f"argmax agrees at {same.mean():.5f} of the pixels only")
    else:
        wrong, others = int((~same & sure).sum()), int((~same & ~sure).sum())
        print(f"{case.name} argmax: {wrong} of {sure.sum()} sure pixels differ, {others} others")  # noqa: T201 - as above
        if wrong:
            failures.append(f"argmax differs at {wrong} sure pixels")
    assert not failures, "; ".join(failures)


def _on_the_image(score_map: Array, case: ParityCase) -> dict[str, Array]:
    """Scores at the size of the image, and the label map that the harness makes of them."""
    size = (case.config["image"]["height"], case.config["image"]["width"])
    maps = torch.from_numpy(score_map)
    scores = F.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]
    return {"scores": scores.numpy(), "argmax": label_map(score_map, size)}
