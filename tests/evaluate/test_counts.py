"""The confusion counts against independent references, and what any count must satisfy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix
from torchmetrics.functional.classification import multiclass_confusion_matrix

from ovrisisbench.evaluate import ConfusionCounter, confusion, counts
from tests.evaluate.drawn_maps import large_pair, map_pairs

PATHS = ("numba", "torch", "numpy")


def detectron2_counts(prediction, target, num_classes):
    """Count as Detectron2's evaluator does: columns are truth, the last one holds ignored pixels."""
    size = num_classes + 1
    truth = target.astype(np.int64).reshape(-1)
    truth[truth == 255] = num_classes
    codes = size * prediction.astype(np.int64).reshape(-1) + truth
    return np.bincount(codes, minlength=size * size).reshape(size, size)


@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")  # one class is a case like any other here
@pytest.mark.parametrize("path", PATHS)
@settings(deadline=None)
@given(pair=map_pairs())
def test_counts_equal_those_of_scikit_learn(path, pair):
    kept = pair.target != 255
    counted = confusion(pair.prediction, pair.target, pair.num_classes, path=path)
    if kept.any():
        expected = confusion_matrix(pair.target[kept], pair.prediction[kept], labels=range(pair.num_classes))
    else:
        expected = np.zeros((pair.num_classes, pair.num_classes))
    assert counted.dtype == np.int64
    np.testing.assert_array_equal(counted, expected)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("num_classes", [2, 17, 89, 90, 150, 180, 181, 255])
def test_counts_of_large_maps_equal_those_of_torchmetrics(path, num_classes):
    pair = large_pair(num_classes, (613, 877), seed=num_classes)
    expected = multiclass_confusion_matrix(
        torch.from_numpy(pair.prediction).int(),
        torch.from_numpy(pair.target).int(),
        num_classes=num_classes,
        ignore_index=255,
        validate_args=False,
    )
    np.testing.assert_array_equal(confusion(*pair, path=path), expected.numpy())


@pytest.mark.parametrize("path", PATHS)
@settings(deadline=None)
@given(pair=map_pairs())
def test_counts_are_the_transpose_of_detectron2s(path, pair):
    theirs = detectron2_counts(*pair)[:-1, :-1]
    np.testing.assert_array_equal(confusion(*pair, path=path), theirs.T)


@pytest.mark.parametrize("path", PATHS)
@settings(deadline=None)
@given(pair=map_pairs(max_classes=40), data=st.data())
def test_renaming_the_classes_permutes_the_counts(path, pair, data):
    order = np.array(data.draw(st.permutations(range(pair.num_classes))))
    renamed = np.append(np.full(255, 255), 255).astype(np.uint8)
    renamed[order] = np.arange(pair.num_classes)
    counted = confusion(renamed[pair.prediction], renamed[pair.target], pair.num_classes, path=path)
    np.testing.assert_array_equal(counted, confusion(*pair, path=path)[np.ix_(order, order)])


@pytest.mark.parametrize("path", PATHS)
@settings(deadline=None)
@given(pair=map_pairs())
def test_swapping_the_maps_transposes_the_counts(path, pair):
    kept = pair.target != 255
    prediction, target = pair.prediction[kept], pair.target[kept]
    swapped = confusion(target, prediction, pair.num_classes, path=path)
    np.testing.assert_array_equal(swapped, confusion(prediction, target, pair.num_classes, path=path).T)


@pytest.mark.parametrize("path", PATHS)
@settings(deadline=None)
@given(pair=map_pairs(), data=st.data())
def test_counts_of_the_parts_add_up_to_those_of_the_whole(path, pair, data):
    cut = data.draw(st.integers(0, len(pair.target)))
    whole = confusion(*pair, path=path)
    parts = [
        confusion(pair.prediction[part], pair.target[part], pair.num_classes, path=path)
        for part in (slice(None, cut), slice(cut, None))
    ]
    np.testing.assert_array_equal(sum(parts), whole)
    assert whole.sum() == np.count_nonzero(pair.target != 255)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed", "odd start", "read-only"])
def test_memory_layout_does_not_matter(path, layout):
    prediction, target, num_classes = large_pair(5, (67, 101), seed=1)
    expected = confusion(prediction, target, num_classes, path=path)

    def laid_out(array):
        if layout == "fortran":
            return np.asfortranarray(array)
        if layout == "odd start":
            buffer = np.empty(array.size + 3, np.uint8)
            buffer[3:] = array.reshape(-1)
            return buffer[3:].reshape(array.shape)
        if layout == "read-only":
            array = array.copy()
            array.flags.writeable = False
            return array
        step = -1 if layout == "reversed" else 2
        spread = np.repeat(array, abs(step), axis=1)
        return spread[:, ::step] if step > 0 else spread[:, ::-1].copy()[:, ::-1]

    counted = confusion(laid_out(prediction), laid_out(target), num_classes, path=path)
    np.testing.assert_array_equal(counted, expected)
    np.testing.assert_array_equal(confusion(laid_out(prediction), target, num_classes, path=path), expected)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 262_143, 262_144, 262_145, 524_296])
def test_every_pixel_counts_once_whatever_the_size(path, size):
    generator = np.random.default_rng(size)
    prediction, target = generator.integers(0, 4, (2, size), dtype=np.uint8)
    expected = np.bincount(4 * target.astype(int) + prediction, minlength=16).reshape(4, 4)
    np.testing.assert_array_equal(confusion(prediction, target, 4, path=path), expected)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64])
def test_other_integers_count_the_same(path, dtype):
    prediction, target, _ = large_pair(5, (40, 50), seed=2)
    kept = target != 255
    counted = confusion(prediction[kept].astype(dtype), target[kept].astype(dtype), 5, path=path)
    np.testing.assert_array_equal(counted, confusion(prediction, target, 5, path=path))


@pytest.mark.parametrize("path", PATHS)
def test_torch_tensors_count_the_same_and_mix_with_arrays(path):
    prediction, target, num_classes = large_pair(5, (40, 50), seed=3)
    expected = confusion(prediction, target, num_classes, path=path)
    transposed = torch.from_numpy(prediction).long().t()
    np.testing.assert_array_equal(confusion(transposed, torch.from_numpy(target).t(), num_classes, path=path), expected)
    np.testing.assert_array_equal(confusion(torch.from_numpy(prediction), target, num_classes, path=path), expected)


@pytest.mark.parametrize("path", PATHS)
def test_ignored_pixels_count_nowhere_whatever_was_predicted_there(path):
    target = np.array([0, 255, 255, 1], np.uint8)
    prediction = np.array([0, 2, 255, 0], np.uint8)
    assert confusion(prediction, target, 2, path=path).tolist() == [[1, 0], [1, 0]]
    assert confusion(prediction[1:3], target[1:3], 2, path=path).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("path", PATHS)
def test_an_ignored_class_counts_nowhere_as_truth_but_can_be_predicted(path):
    target = np.array([0, 0, 1, 2, 2], np.uint8)
    prediction = np.array([1, 0, 0, 0, 2], np.uint8)
    assert confusion(prediction, target, 3, ignore_index=0, path=path).tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 1]]


@pytest.mark.parametrize("path", PATHS)
def test_another_ignored_value_makes_255_a_stray_label(path):
    target = np.array([0, 200, 1], np.uint8)
    assert confusion(target[[0, 0, 2]], target, 2, ignore_index=200, path=path).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(counts.EvaluationError, match=r"1 pixel of value 255, but labels are 0\.\.1 or 200"):
        confusion(target[[0, 0, 2]], np.array([0, 255, 1], np.uint8), 2, ignore_index=200, path=path)


@pytest.mark.parametrize("path", PATHS)
def test_a_target_out_of_range_is_named_with_its_count(path):
    target = np.array([[0, 7, 7], [1, 255, 7]], np.uint8)
    with pytest.raises(
        counts.EvaluationError, match=r"target of image 'area_3' has 3 pixels of value 7, but labels are 0\.\.1 or 255"
    ):
        confusion(np.zeros_like(target), target, 2, path=path, name="area_3")


@pytest.mark.parametrize("path", PATHS)
def test_a_prediction_out_of_range_is_named_with_its_count(path):
    prediction = np.array([[0, 2, 2], [255, 1, 1]], np.uint8)
    with pytest.raises(counts.EvaluationError, match=r"The prediction has 2 pixels of value 2, but labels are 0\.\.1:"):
        confusion(prediction, np.zeros_like(prediction), 2, path=path)


@pytest.mark.parametrize("path", PATHS)
def test_after_an_error_nothing_of_the_bad_image_is_left(path):
    good = np.array([0, 1, 1], np.uint8)
    bad = np.array([0, 1, 9], np.uint8)
    counter = ConfusionCounter(2, path=path)
    for _ in range(2):
        counter.update(good, bad)
        with pytest.raises(counts.EvaluationError, match="value 9"):
            counter.take()
        with pytest.raises(counts.EvaluationError, match="value 9"):
            confusion(good, bad, 2, path=path)
    counter.update(good, good)
    assert counter.take().tolist() == [[1, 0], [0, 2]]
    assert confusion(good, good, 2, path=path).tolist() == [[1, 0], [0, 2]]


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), "shape 2×3 and its target 3×2"),
        (np.zeros(3), np.zeros(3, np.uint8), "prediction has dtype float64"),
        (np.zeros(3, np.uint8), np.zeros(3, bool), "target has dtype bool"),
        (np.zeros(3, np.uint8), np.array([0, -1, 0]), "target holds the value -1"),
        (np.array([0, 300, 0]), np.zeros(3, np.uint8), "prediction holds the value 300"),
        (torch.zeros(3), torch.zeros(3, dtype=torch.uint8), "prediction has dtype torch.float32"),
        (torch.zeros(3).bfloat16(), torch.zeros(3, dtype=torch.uint8), "prediction has dtype torch.bfloat16"),
        (torch.zeros(3, dtype=torch.uint8), torch.zeros(3, dtype=torch.bool), "target has dtype torch.bool"),
    ],
)
def test_unusable_maps_are_refused_in_one_sentence(prediction, target, message):
    with pytest.raises(counts.EvaluationError, match=message):
        confusion(prediction, target, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 0}, "num_classes is 0"),
        ({"num_classes": 256}, "num_classes is 256"),
        ({"num_classes": 2, "ignore_index": -1}, "ignore_index is -1"),
        ({"num_classes": 2, "ignore_index": 256}, "ignore_index is 256"),
        ({"num_classes": 2, "path": "cuda"}, "no path 'cuda'"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(counts.EvaluationError, match=message):
        ConfusionCounter(**settings)


@pytest.mark.parametrize("path", PATHS)
def test_a_counter_returns_what_was_counted_since_the_last_take(path):
    pairs = [large_pair(6, (50, 60), seed=seed) for seed in range(4)]
    each = [confusion(*pair, path=path) for pair in pairs]
    counter = ConfusionCounter(6, path=path)
    for pair, expected in zip(pairs, each, strict=True):
        counter.update(pair.prediction, pair.target)
        np.testing.assert_array_equal(counter.take(), expected)
    for pair in pairs:
        counter.update(pair.prediction, pair.target)
    np.testing.assert_array_equal(counter.take(), sum(each))
    assert not counter.take().any()


@pytest.mark.parametrize("path", PATHS)
def test_counters_are_emptied_before_32_bits_run_over(path, monkeypatch):
    monkeypatch.setattr(counts, "_TALLY_LIMIT", 1000)
    pairs = [large_pair(3, (30, 29), seed=seed) for seed in range(3)] + [large_pair(3, (90, 90), seed=9)]
    counter = ConfusionCounter(3, path=path)
    for pair in pairs:
        counter.update(pair.prediction, pair.target)
    np.testing.assert_array_equal(counter.take(), sum(detectron2_counts(*pair)[:-1, :-1].T for pair in pairs))


def test_a_returned_matrix_is_the_callers_own():
    pair = large_pair(3, (20, 20), seed=5)
    first = confusion(*pair)
    kept = first.copy()
    confusion(*large_pair(3, (20, 20), seed=6))
    np.testing.assert_array_equal(first, kept)
