import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import jaccard_score, recall_score

from ovrisisbench.errors import EvaluationError, RecordError
from ovrisisbench.evaluate.metrics import CONVENTIONS, compute_metrics
from ovrisisbench.records import CountsTable
from ovrisisbench.statistics.figures import FIGURES, Measure
from ovrisisbench.statistics.gap import pixel_sums
from ovrisisbench.statistics.scenes import scene_sums
from tests.statistics.drawn_counts import drawn_confusions, drawn_table, table_of

confusions = st.integers(1, 5).flatmap(
    lambda classes: arrays(np.int64, (classes, classes), elements=st.just(0) | st.integers(0, 2**30))
)


@given(confusions, st.sampled_from(CONVENTIONS))
@settings(deadline=None)
def test_figures_of_sums_are_those_of_the_confusion_matrix(confusion, convention):
    expected = compute_metrics(confusion, convention)
    sums = pixel_sums(confusion)
    measure = Measure.of(sums, convention)
    found = measure.figures(sums)
    for figure in FIGURES:
        value = getattr(expected, figure)
        assert found[figure] == pytest.approx(np.nan if value is None else value, rel=1e-12, nan_ok=True)
    iou, acc = measure.by_class(sums)
    for index in np.flatnonzero(measure.truth_classes):
        assert iou[index] == pytest.approx(expected.iou[index], rel=1e-12)
        assert acc[index] == pytest.approx(expected.acc[index], rel=1e-12)
    assert measure.iou_classes.sum() == (expected.classes_in_miou if expected.miou is not None else 0)


def test_a_mean_over_some_classes_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 5, 500), rng.integers(0, 5, 500)
    confusion = np.zeros((5, 5), np.int64)
    np.add.at(confusion, (truth, prediction), 1)
    sums = pixel_sums(confusion)
    found = Measure.of(sums, "detectron2", [1, 3]).figures(sums)
    assert found["miou"] == pytest.approx(jaccard_score(truth, prediction, labels=[1, 3], average="macro"))
    assert found["macc"] == pytest.approx(recall_score(truth, prediction, labels=[1, 3], average="macro"))
    assert found["fwiou"] == pytest.approx(jaccard_score(truth, prediction, labels=[1, 3], average="weighted"))
    assert found["pacc"] == pytest.approx(recall_score(truth, prediction, labels=[1, 3], average="micro"))


def test_a_class_that_a_resample_misses_keeps_its_figure():
    whole = np.array([[[4.0, 6.0], [5.0, 5.0], [3.0, 4.0]]])
    measure = Measure.of(whole[0], "detectron2")
    without = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    assert measure.figures(without)["miou"] == pytest.approx((1 + 4 / 7) / 2)
    assert measure.figures(without)["fwiou"] == 1.0


@pytest.mark.parametrize("classes", [[], [-1], [2]])
def test_classes_outside_the_vocabulary_are_refused(classes):
    with pytest.raises(EvaluationError, match=r"not among 0\.\.1"):
        Measure.of(np.ones((3, 2)), "detectron2", classes)


def test_an_unknown_convention_is_refused():
    with pytest.raises(EvaluationError, match="'coco'"):
        Measure.of(np.ones((3, 2)), "coco")


def test_sums_of_scenes_are_those_of_their_images():
    confusions = drawn_confusions(6, 3)
    table = table_of(confusions, scenes=["b", "a", "b", "c", "a", "a"])
    sums = scene_sums(table)
    assert sums.names == ("a", "b", "c")
    np.testing.assert_array_equal(sums.sums[0], pixel_sums(confusions[[1, 4, 5]].sum(axis=0)))
    np.testing.assert_array_equal(sums.total, pixel_sums(confusions.sum(axis=0)))
    np.testing.assert_array_equal(sums.scenes_with_truth, (sums.sums[:, 0] > 0).sum(axis=0))


def test_a_scene_without_counted_pixels_is_no_scene():
    confusions = drawn_confusions(4, 3)
    confusions[2] = 0
    assert scene_sums(table_of(confusions)).names == ("scene 000", "scene 001", "scene 003")


def test_counts_too_large_for_exact_sums_are_refused():
    table = drawn_table(images=3)
    large = CountsTable(table.ids, table.scenes, 4, table.image, table.truth, table.prediction, table.pixels * 2**45)
    with pytest.raises(RecordError, match="too many for exact sums"):
        scene_sums(large)


def test_counts_of_some_images_are_those_images():
    confusions = drawn_confusions(5, 3)
    some = table_of(confusions).of_images(["image 003", "image 001", "nowhere"])
    assert some.problem() == ""
    assert (
        some.digest()
        == table_of(confusions[[1, 3]], scenes=["scene 001", "scene 003"], names=["image 001", "image 003"]).digest()
    )
