"""Windows cover a picture, and blending their scores adds nothing of its own."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate import label_map
from ovrisisbench.prediction.blending import BandBlender, axis_weight, stretched
from ovrisisbench.prediction.windows import spread

sides = st.tuples(st.integers(1, 90), st.integers(1, 30), st.integers(0, 29)).filter(lambda side: side[2] < side[1])


@given(sides)
def test_windows_cover_a_side_with_the_overlap_asked_for(side):
    length, size, overlap = side
    axis = spread(length, size, overlap)
    assert axis.starts[0] == 0
    assert axis.starts[-1] + axis.size == length
    for before, after in zip(axis.starts, axis.starts[1:], strict=False):
        assert before < after
        assert before + axis.size - after >= overlap
    if len(axis.starts) > 1:  # one window fewer would not do
        assert (len(axis.starts) - 2) * (size - overlap) + size < length


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (4, 4), (4, -1)])
def test_windows_that_cannot_be_are_refused(size, overlap):
    with pytest.raises(EvaluationError, match="cannot overlap"):
        spread(10, size, overlap)


@given(sides)
def test_weights_are_a_partition_and_1_where_one_window_stands_alone(side):
    axis = spread(*side)
    weights = [axis_weight(axis, index) for index in range(len(axis.starts))]
    total, covered = np.zeros(axis.length), np.zeros(axis.length, int)
    for start, weight in zip(axis.starts, weights, strict=True):
        total[start : start + axis.size] += weight
        covered[start : start + axis.size] += 1
    np.testing.assert_allclose(total, 1, rtol=0, atol=3e-7)
    for start, weight in zip(axis.starts, weights, strict=True):
        assert (weight > 0).all()
        assert (weight[covered[start : start + axis.size] == 1] == 1).all()


def test_the_weight_of_a_window_is_a_raised_cosine():
    axis = spread(16 + 12, 16, 4)
    bell = np.hanning(33)[1::2]  # samples at the middles of 16 pixels
    expected = bell[12:] / (bell[12:] + bell[:4])
    np.testing.assert_allclose(axis_weight(axis, 0)[12:], expected, rtol=1e-6)


def _blended(rows, columns, scores_of, num_classes, order=None) -> np.ndarray:
    """The label map of a picture whose window (row, column) has the scores that ``scores_of`` gives."""
    blender = BandBlender(num_classes, rows, columns)
    bands = []
    for row in range(len(rows.starts)):
        for column in order or range(len(columns.starts)):
            blender.add(column, scores_of(row, column))
        bands.append(blender.finish_row())
    return np.concatenate(bands)


def _field(num_classes, height, width, seed=0) -> torch.Tensor:
    return torch.randn(num_classes, height, width, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(sides, sides, st.integers(1, 5))
def test_windows_that_agree_give_the_labels_of_the_whole(down, across, num_classes):
    rows, columns = spread(*down), spread(*across)
    field = _field(num_classes, rows.length, columns.length)

    def cut(row, column):
        y0, x0 = rows.starts[row], columns.starts[column]
        return field[:, y0 : y0 + rows.size, x0 : x0 + columns.size]

    labels = _blended(rows, columns, cut, num_classes)
    whole = field.numpy().argmax(0)
    assert labels.shape == whole.shape
    ordered = np.sort(field.numpy(), axis=0)
    clear = np.ones(whole.shape, bool) if num_classes == 1 else ordered[-1] - ordered[-2] > 1e-5
    assert (labels[clear] == whole[clear]).all()


def test_constant_scores_stay_constant_to_rounding():
    rows, columns = spread(50, 16, 5), spread(40, 16, 7)
    constant = torch.tensor([0.3, 0.3, 0.1])[:, None, None].expand(3, 16, 16)
    blender = BandBlender(3, rows, columns)
    for row in range(len(rows.starts)):
        for column in range(len(columns.starts)):
            blender.add(column, constant)
        last = row + 1 == len(rows.starts)
        final = rows.size if last else rows.starts[row + 1] - rows.starts[row]
        expected = np.broadcast_to(np.float32([0.3, 0.3, 0.1])[:, None, None], (3, final, 40))
        np.testing.assert_allclose(blender._sums[:, :final].numpy(), expected, rtol=0, atol=1e-6)
        assert (blender.finish_row() == 0).all()  # equal scores go to the lowest class


def test_the_order_of_windows_does_not_matter():
    rows, columns = spread(64, 24, 8), spread(80, 24, 8)
    fields = {}

    def scores(row, column):
        return fields.setdefault((row, column), _field(4, 24, 24, seed=100 * row + column))

    there = _blended(rows, columns, scores, 4)
    back = _blended(rows, columns, scores, 4, order=[*range(len(columns.starts))][::-1])
    assert (there == back).all()


def test_between_two_windows_that_disagree_the_nearer_one_decides():
    rows, columns = spread(8, 8, 0), spread(24, 16, 8)
    one = torch.stack([torch.ones(8, 16), torch.zeros(8, 16)])
    labels = _blended(rows, columns, lambda _, column: one if column == 0 else one.flip(0), 2)
    assert labels.tolist() == [[0] * 12 + [1] * 12] * 8


def test_one_window_is_labelled_as_a_run_labels_it():
    scores = _field(5, 13, 17).numpy()
    for size in ((13, 17), (100, 90), (40, 33)):
        rows, columns = spread(size[0], 512, 128), spread(size[1], 512, 128)
        labels = _blended(rows, columns, lambda *_, size=size: stretched(scores, *size), 5)
        assert (labels == label_map(scores, size, path="torch")).all()


def test_the_sums_take_the_memory_of_one_row_of_windows_however_high_the_picture_is():
    sizes = {BandBlender(3, spread(height, 64, 16), spread(200, 64, 16)).nbytes for height in (64, 500, 50_000)}
    assert sizes == {3 * 64 * 200 * 4}
