"""Figures of single images agree with scikit-learn, and the choice of images shows the whole range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.records import (
    CountsTable,
    cost_maps_path,
    image_scores,
    read_cost_maps,
    worst_middle_best,
    write_cost_maps,
)
from tests.records.examples import a_record, a_table


def test_the_figures_of_an_image_are_those_of_scikit_learn():
    generator = np.random.default_rng(3)
    truth, prediction = generator.integers(0, 4, (2, 5, 60))
    truth[0] = truth[0] % 2  # an image without the classes 2 and 3
    images = []
    for index in range(5):
        confusion = np.zeros((4, 4), np.int64)
        np.add.at(confusion, (truth[index], prediction[index]), 1)
        images.append(ImageCounts.from_confusion(f"image_{index}", confusion, 0.0))
    table = CountsTable.from_images(images, scenes={one.image_id: "x" for one in images}, num_classes=4)
    scores = image_scores(table)
    for index in range(5):
        iou = jaccard_score(truth[index], prediction[index], labels=range(4), average=None, zero_division=0)
        assert np.allclose(np.nan_to_num(scores.iou[index]), iou)
        assert scores.miou[index] == pytest.approx(iou[np.unique(truth[index])].mean())


def test_an_image_without_truth_has_no_figure_and_is_never_chosen():
    empty = CountsTable.from_images(
        [ImageCounts("a", np.zeros((0, 3), np.int64), 0.0)], scenes={"a": "a"}, num_classes=2
    )
    assert np.isnan(image_scores(empty).miou).all()
    assert worst_middle_best(image_scores(empty).miou, 3) == []


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=30), st.integers(0, 12))
def test_the_choice_holds_worst_and_best_without_repeating(values, count):
    figures = np.array(values, np.float64)
    chosen = worst_middle_best(figures, count)
    valid = np.flatnonzero(~np.isnan(figures))
    assert len(chosen) == len(set(chosen)) == min(count, len(valid))
    assert set(chosen) <= set(valid.tolist())
    assert np.all(np.diff(figures[chosen]) >= 0)
    if count >= 3 and len(valid):
        assert figures[chosen[0]] == figures[valid].min()
        assert figures[chosen[-1]] == figures[valid].max()


def test_cost_maps_are_read_back_with_the_result_they_belong_to(tmp_path):
    record = a_record(table=a_table())
    maps = {"a": {"CLIP": np.full((3, 96, 96), 0.25, np.float32), "scores": np.ones((3, 24, 24), np.float32)}}
    path = cost_maps_path(record, tmp_path)
    write_cost_maps(maps, record, path)
    found = read_cost_maps(path)
    assert (found.ids, found.result) == (("a",), record.result_digest())
    assert found.stages["CLIP"].shape == (1, 3, 48, 48)
    assert np.all(found.stages["CLIP"] == np.float16(0.25))
    assert list(found.stages) == ["CLIP", "scores"]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordError, match="--keep-cost-maps"):
        read_cost_maps(path)
