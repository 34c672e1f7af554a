from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapters.segearth_ov.classes import Threshold, class_probabilities, class_scores, stretched
from ovrisisbench.evaluate import label_map
from tests.adapters.segearth_ov.second_version import label_map_of_probabilities

CLASSES = [0, 0, 1, 2, 2, 2, 3]
SIZE = (23, 31)


@pytest.fixture
def cosines() -> torch.Tensor:
    return 0.03 * torch.randn(len(CLASSES), 9, 12, generator=torch.Generator().manual_seed(0))


def _labels(cosines: torch.Tensor, classes: list[int], threshold: Threshold | None) -> np.ndarray:
    return label_map(class_scores(cosines, classes, SIZE, threshold).numpy(), SIZE)


@pytest.mark.parametrize("background", [0, 1, 3])
@pytest.mark.parametrize("probability", [0.0, 0.2, 0.35, 0.5, 1.0])
def test_labels_are_those_of_the_official_steps(cosines: torch.Tensor, probability: float, background: int) -> None:
    large = F.interpolate(cosines[None].double(), size=SIZE, mode="bilinear", align_corners=False)[0]
    expected = label_map_of_probabilities(large.numpy(), CLASSES, probability, background)
    found = _labels(cosines, CLASSES, Threshold(probability, background))
    assert np.array_equal(found, expected)
    if probability == 1:
        assert (found == background).all()
    if probability == 0:
        assert np.array_equal(found, _labels(cosines, CLASSES, None))


def test_the_threshold_moves_some_pixels_here(cosines: torch.Tensor) -> None:
    moved = _labels(cosines, CLASSES, Threshold(0.35, 3)) != _labels(cosines, CLASSES, None)
    assert 0.05 < moved.mean() < 0.95


def test_without_threshold_and_synonyms_the_map_keeps_its_resolution(cosines: torch.Tensor) -> None:
    classes = list(range(len(CLASSES)))
    scores = class_scores(cosines, classes, SIZE, None)
    assert torch.equal(scores, cosines)
    large = F.interpolate(cosines[None].double(), size=SIZE, mode="bilinear", align_corners=False)[0]
    expected = label_map_of_probabilities(large.numpy(), classes, 0.0, 0)
    assert np.array_equal(label_map(scores.numpy(), SIZE), expected)


def test_scores_are_cosines_whatever_is_set(cosines: torch.Tensor) -> None:
    large = stretched(cosines, SIZE)
    best = torch.stack([large[:2].amax(0), large[2], large[3:6].amax(0), large[6]])
    assert torch.equal(class_scores(cosines, CLASSES, SIZE, None), best)
    scores = class_scores(cosines, CLASSES, SIZE, Threshold(0.35, 3))
    assert torch.equal(scores[:3], best[:3])
    raised = scores[3] != best[3]
    assert raised.any()
    assert torch.equal(scores[3][raised], best.amax(0)[raised] + 1)


def test_probabilities_run_over_queries_and_not_over_classes(cosines: torch.Tensor) -> None:
    chances = class_probabilities(cosines, CLASSES)
    powers = (50 * cosines.double()).exp()
    expected = powers / powers.sum(0)
    expected = torch.stack([expected[:2].amax(0), expected[2], expected[3:6].amax(0), expected[6]])
    torch.testing.assert_close(chances.double(), expected, atol=1e-6, rtol=0)
    assert (chances.sum(0) < 1).all(), "what the other synonyms have is lost"


def test_the_cosines_stay_as_they_were(cosines: torch.Tensor) -> None:
    before = cosines.clone()
    class_scores(cosines, CLASSES, (9, 12), Threshold(0.5, 1))
    assert torch.equal(cosines, before)
