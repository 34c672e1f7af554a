"""The label map against ``F.interpolate`` followed by ``argmax``."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate import label_map, labels
from ovrisisbench.evaluate._torch_labels import device_labels

PATHS = ("numba", "torch")


def stretched(logits, size, dtype=torch.float32):
    """Return the (K, H, W) scores at the image's size."""
    scores = torch.from_numpy(np.array(logits)).to(dtype)
    return F.interpolate(scores[None], size=size, mode="bilinear", align_corners=False)[0]


def reference(logits, size):
    return stretched(logits, size).argmax(0).numpy()


def smooth_scores(num_classes, height, width, seed, noise=0.1):
    """Return scores as models give them: smooth blobs with a little noise."""
    generator = np.random.default_rng(seed)
    coarse = generator.standard_normal((num_classes, height // 8 + 2, width // 8 + 2), dtype=np.float32)
    rough = generator.standard_normal((num_classes, height, width), dtype=np.float32)
    return stretched(coarse, (height, width)).numpy() + noise * rough


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("noise", [0.1, 3.0])
@pytest.mark.parametrize(
    ("num_classes", "cells", "size"),
    [
        (17, (96, 96), (1024, 1024)),
        (6, (96, 128), (720, 960)),
        (8, (24, 24), (517, 701)),
        (150, (20, 30), (200, 311)),
        (255, (7, 5), (64, 33)),
        (5, (64, 40), (1, 1500)),
        (5, (33, 64), (700, 1)),
        (4, (300, 200), (150, 77)),
        (4, (128, 128), (100, 300)),
        (3, (1, 1), (40, 50)),
        (3, (1, 40), (60, 2300)),
        (2, (90, 90), (97, 91)),
    ],
)
def test_labels_equal_interpolate_and_argmax(path, noise, num_classes, cells, size):
    logits = smooth_scores(num_classes, *cells, seed=num_classes, noise=noise)
    found = label_map(logits, size, path=path)
    assert found.dtype == np.uint8
    assert found.shape == size
    differing = found != reference(logits, size)
    if size[0] * size[1] < 40_000:
        # torch uses other kernels for small images, which round otherwise: only near ties may differ.
        best_two = stretched(logits, size, torch.float64).topk(2, dim=0).values
        differing &= (best_two[0] - best_two[1]).numpy() > 1e-5
    assert np.count_nonzero(differing) == 0


@pytest.mark.parametrize("path", PATHS)
@settings(deadline=None)
@given(data=st.data())
def test_where_labels_differ_from_float64_the_scores_are_all_but_equal(path, data):
    shape = data.draw(hnp.array_shapes(min_dims=3, max_dims=3, max_side=9))
    size = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    logits = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(-100, 100, width=32)))
    found = label_map(logits, size, path=path)
    exact = stretched(logits, size, torch.float64).numpy()
    chosen = np.take_along_axis(exact, found[None].astype(np.int64), axis=0)[0]
    np.testing.assert_allclose(chosen, exact.max(0), rtol=0, atol=1e-4)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [(40, 60), (333, 1100), (3, 4)])
def test_equal_scores_go_to_the_lowest_class(path, size):
    plane = smooth_scores(1, 12, 17, seed=0)[0]
    lower, higher = plane - 1, plane + 1
    assert not label_map(np.full((9, 12, 17), 0.3, np.float32), size, path=path).any()
    assert not label_map(np.stack([plane] * 5), size, path=path).any()
    assert (label_map(np.stack([lower, plane, lower, plane, plane]), size, path=path) == 1).all()
    assert (label_map(np.stack([lower] * 200 + [plane, higher] + [higher] * 53), size, path=path) == 201).all()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shape", [(7, 40, 60), (255, 9, 11), (1, 5, 5), (3, 1, 1), (2, 700, 1300)])
def test_at_the_scores_own_size_it_is_argmax(path, shape):
    logits = np.random.default_rng(1).integers(-3, 4, shape).astype(np.float32)
    np.testing.assert_array_equal(label_map(logits, shape[1:], path=path), logits.argmax(0))


@pytest.mark.parametrize("path", PATHS)
def test_one_class_is_all_zeros(path):
    assert not label_map(np.random.default_rng(2).random((1, 6, 7)), (50, 60), path=path).any()


@pytest.mark.parametrize("path", PATHS)
def test_small_bands_and_blocks_give_the_same_labels(path, monkeypatch):
    """Large images are worked on in pieces; here the pieces are a few rows and columns."""
    from ovrisisbench.evaluate import _numba_labels, _torch_labels

    logits = smooth_scores(5, 30, 40, seed=3)
    size = (310, 420)
    expected = label_map(logits, size, path=path)
    monkeypatch.setattr(_numba_labels, "_STRIPE", 50)
    monkeypatch.setattr(_torch_labels, "_BLENDED_BYTES", 3 * 4 * 5 * 420)
    monkeypatch.setattr(_torch_labels, "_WIDENED_BYTES", 1)
    np.testing.assert_array_equal(label_map(logits, size, path=path), expected)


def test_the_accelerators_way_gives_the_same_labels_in_blocks(monkeypatch):
    from ovrisisbench.evaluate import _torch_labels

    logits = smooth_scores(6, 40, 30, seed=4)
    size = (501, 333)
    expected = reference(logits, size)
    whole = device_labels(torch.from_numpy(logits), *size)
    monkeypatch.setattr(_torch_labels, "_DEVICE_BYTES", 7 * 4 * 6 * 333)
    in_blocks = device_labels(torch.from_numpy(logits), *size)
    assert whole.dtype == torch.uint8
    np.testing.assert_array_equal(whole.numpy(), expected)
    np.testing.assert_array_equal(in_blocks.numpy(), expected)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("make", [lambda a: a.astype(np.float64), torch.from_numpy, np.asfortranarray])
def test_other_types_and_layouts_give_the_same_labels(path, make):
    logits = smooth_scores(4, 20, 24, seed=5)
    np.testing.assert_array_equal(label_map(make(logits), (99, 120), path=path), reference(logits, (99, 120)))


@pytest.mark.parametrize("path", PATHS)
def test_a_crop_of_a_map_and_a_read_only_map_are_taken_as_they_are(path):
    logits = smooth_scores(4, 30, 34, seed=6)
    crop = logits[:, 3:23, 5:29]
    np.testing.assert_array_equal(label_map(crop, (99, 120), path=path), reference(crop, (99, 120)))
    logits.flags.writeable = False
    np.testing.assert_array_equal(label_map(logits, (99, 120), path=path), reference(logits, (99, 120)))


@pytest.mark.parametrize("path", PATHS)
def test_half_precision_scores_are_resized_in_single(path):
    logits = torch.from_numpy(smooth_scores(4, 20, 24, seed=7)).half()
    expected = reference(logits.float().numpy(), (99, 120))
    np.testing.assert_array_equal(label_map(logits, (99, 120), path=path), expected)


@pytest.mark.parametrize("path", PATHS)
def test_the_scores_are_left_as_they_were(path):
    logits = smooth_scores(4, 20, 24, seed=8)
    kept = logits.copy()
    label_map(logits, (99, 120), path=path)
    np.testing.assert_array_equal(logits, kept)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_scores_that_are_not_finite_are_refused_with_the_images_name(path, bad, as_tensor):
    logits = np.random.default_rng(9).random((3, 5, 6))
    logits[1, 4, 2] = bad
    with pytest.raises(EvaluationError, match="The scores of image 'top_potsdam_2_10' hold NaN or infinity"):
        label_map(torch.from_numpy(logits) if as_tensor else logits, (20, 20), path=path, name="top_potsdam_2_10")


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        ((5, 6), (9, 9), r"shape \(5, 6\): give \(K, h, w\)"),
        ((0, 5, 6), (9, 9), r"shape \(0, 5, 6\)"),
        ((3, 0, 6), (9, 9), r"shape \(3, 0, 6\)"),
        ((256, 2, 2), (9, 9), r"shape \(256, 2, 2\)"),
        ((2, 2, 2), (0, 9), "size is 0×9"),
    ],
)
def test_impossible_shapes_are_refused(shape, size, message):
    with pytest.raises(EvaluationError, match=message):
        label_map(np.zeros(shape, np.float32), size)


def test_an_unknown_path_is_refused():
    with pytest.raises(EvaluationError, match="no path 'numpy'"):
        label_map(np.zeros((2, 2, 2)), (4, 4), path="numpy")


def test_without_numba_torch_makes_the_labels(monkeypatch):
    monkeypatch.setattr(labels, "numba_is_usable", lambda: False)
    logits = smooth_scores(4, 20, 24, seed=10)
    np.testing.assert_array_equal(label_map(logits, (99, 120)), reference(logits, (99, 120)))
    with pytest.raises(EvaluationError, match=r"install ovrisisbench\[fast\]"):
        label_map(logits, (99, 120), path="numba")
