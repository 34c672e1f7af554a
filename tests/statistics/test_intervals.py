import importlib.util
import math
import sys
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ovrisisbench.errors import EvaluationError
from ovrisisbench.statistics import FIGURES, MIN_SCENES, figure_intervals, mean_intervals
from ovrisisbench.statistics.figures import Measure
from ovrisisbench.statistics.intervals import interval_of
from ovrisisbench.statistics.resampling import resampled_sums, weight_chunks
from ovrisisbench.statistics.scenes import scene_sums
from ovrisisbench.statistics.spread import Resampled, Spread, resampled
from tests.statistics.drawn_counts import drawn_confusions, drawn_table, table_of

COVERAGE = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"


def _scipy(table, figure, *, resamples, seed=0, method="percentile", level=0.95):
    """Let scipy resample the same scenes by the same draws."""
    sums = scene_sums(table)
    measure = Measure.of(sums.total, "detectron2")

    def statistic(chosen, axis=-1):
        return measure.figures(sums.sums[chosen].sum(axis=axis - 2 if axis < 0 else axis))[figure]

    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    return stats.bootstrap(
        (np.arange(len(sums)),),
        statistic,
        n_resamples=resamples,
        confidence_level=level,
        method=method,
        vectorized=True,
        rng=rng,
    )


@pytest.mark.parametrize("figure", FIGURES)
def test_resamples_are_those_of_scipy(figure):
    table = drawn_table()
    sums = scene_sums(table)
    (found,) = resampled([(sums, Measure.of(sums.total, "detectron2"))], resamples=500)
    theirs = _scipy(table, figure, resamples=500)
    column = FIGURES.index(figure)
    np.testing.assert_allclose(found.replicates[:, column], theirs.bootstrap_distribution, rtol=1e-12)
    assert found.replicates[:, column].std(ddof=1) == pytest.approx(theirs.standard_error)


@pytest.mark.parametrize("figure", FIGURES)
def test_the_interval_is_scipys_percentile_interval_at_the_calibrated_level(figure):
    table = drawn_table()
    interval = figure_intervals(table, resamples=1000)[figure]
    plain = _scipy(table, figure, resamples=1000)
    sums = scene_sums(table)
    measure = Measure.of(sums.total, "detectron2")
    left_out = np.array([measure.figures(sums.total - scene)[figure] for scene in sums.sums])
    away = left_out - left_out.mean()
    count = len(left_out)
    error = math.sqrt((count - 1) / count * (away**2).sum())
    freedom = min(count - 1, 2 * count / (stats.kurtosis(away, fisher=False) - (count - 3) / (count - 1)))
    position = stats.t.ppf(0.975, freedom) * error / plain.standard_error
    level = 1 - 2 * stats.norm.sf(position)
    theirs = _scipy(table, figure, resamples=1000, level=level).confidence_interval
    assert interval.standard_error == pytest.approx(error)
    assert (interval.low, interval.high) == pytest.approx(tuple(theirs))
    assert (interval.scenes, interval.resamples, interval.seed, interval.level) == (30, 1000, 0, 0.95)


def test_degrees_of_freedom_are_those_of_normal_scenes_or_fewer():
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(4000, 1))
    lonely = np.zeros((4000, 1))
    lonely[7] = 1.0
    for left_out, expected in ((normal, 3999), (lonely, 2)):
        part = Resampled(np.zeros(1), np.zeros((10, 1)), left_out)
        assert part.errors()[1] == pytest.approx(expected, rel=0.1)


def test_the_size_of_chunks_does_not_show():
    whole = np.concatenate(list(weight_chunks(13, resamples=50, seed=3)))
    small = np.concatenate(list(weight_chunks(13, resamples=50, seed=3, cells=13 * 7)))
    single = np.concatenate(list(weight_chunks(13, resamples=50, seed=3, cells=1)))
    np.testing.assert_array_equal(whole, small)
    np.testing.assert_array_equal(whole, single)
    assert (whole.sum(axis=1) == 13).all()


def test_scenes_are_drawn_evenly_and_streams_on_their_own():
    weights = np.concatenate(list(weight_chunks(5, resamples=20_000)))
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(np.cov(weights.T), np.eye(5) - 1 / 5, atol=0.03)
    other = np.concatenate(list(weight_chunks(5, resamples=20_000, stream=1)))
    assert abs(np.corrcoef(weights[:, 0], other[:, 0])[0, 1]) < 0.03


def test_resampled_sums_are_exact():
    scenes = np.array([[2.0**50, 1.0], [3.0, 0.0]])
    for row, weights in zip(resampled_sums(scenes, resamples=20), next(weight_chunks(2, resamples=20)), strict=True):
        first, second = map(int, weights)
        assert list(map(int, row)) == [first * 2**50 + second * 3, first]


@given(st.permutations(range(12)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_images_does_not_matter(order):
    confusions = drawn_confusions(12, 3)
    names = [f"image {index:03d}" for index in range(12)]
    scenes = [f"scene {index % 8}" for index in range(12)]
    shuffled = table_of(confusions[order], [scenes[index] for index in order], [names[index] for index in order])
    assert figure_intervals(shuffled, resamples=300) == figure_intervals(
        table_of(confusions, scenes, names), resamples=300
    )


def test_an_image_without_truth_changes_nothing():
    confusions = drawn_confusions(12, 3)
    more = [*confusions, np.zeros((3, 3), np.int64)]
    assert figure_intervals(table_of(more)) == figure_intervals(table_of(confusions))


def test_equal_scenes_are_known_for_certain():
    interval = figure_intervals(table_of([[[3, 1], [0, 4]]] * 9))["miou"]
    assert interval.low == interval.high == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_too_few_scenes_give_no_interval():
    few = drawn_confusions(MIN_SCENES - 1, 3)
    assert set(figure_intervals(table_of(few)).values()) == {None}
    assert set(mean_intervals([drawn_table(), table_of(few)]).values()) == {None}
    tiles = table_of(drawn_confusions(20, 3), scenes=["one scene"] * 20)
    assert set(figure_intervals(tiles).values()) == {None}
    enough = table_of(drawn_confusions(MIN_SCENES, 3))
    assert None not in figure_intervals(enough).values()


def test_counts_without_a_pixel_have_no_interval():
    assert set(figure_intervals(table_of(np.zeros((9, 2, 2)))).values()) == {None}


def test_rare_classes_are_counted():
    confusions = np.zeros((20, 3, 3), np.int64)
    confusions[:, 0, 0] = 5
    confusions[:, 0, 1] = np.arange(20)
    confusions[0, 2, 2] = 7
    interval = figure_intervals(table_of(confusions))["miou"]
    assert interval.thin_classes == 1


def test_the_interval_of_a_mean_is_narrower_than_those_it_is_made_of():
    tables = [drawn_table(truth_seed=seed, seed=seed) for seed in range(4)]
    mean = mean_intervals(tables)["miou"]
    single = [figure_intervals(table)["miou"] for table in tables]
    assert mean.standard_error == pytest.approx(math.sqrt(sum(one.standard_error**2 for one in single)) / 4)
    assert mean.high - mean.low < min(one.high - one.low for one in single)
    assert mean.scenes == 120


def test_a_mean_of_one_is_the_data_set():
    table = drawn_table()
    assert mean_intervals([table]) == figure_intervals(table)


def test_other_seeds_give_other_resamples_and_nearly_the_same_interval():
    one, other = (figure_intervals(drawn_table(), seed=seed)["miou"] for seed in (0, 1))
    assert one != other
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.005)


def test_beyond_what_resamples_tell_the_quantiles_go_on_in_a_straight_line():
    replicates = np.linspace(-1, 1, 1001)[:, None]
    spread = Spread(np.zeros(1), replicates, np.array([2.0]), np.array([30.0]), 31)
    furthest = NormalDist().inv_cdf(1 - 5 / 1001)
    interval = interval_of(spread, 0, seed=0, level=0.95, bounds=(-9, 9))
    position = stats.t.ppf(0.975, 30) * 2 / replicates.std(ddof=1)
    assert position > furthest
    assert interval.high == pytest.approx(np.quantile(replicates, 1 - 5 / 1001) * position / furthest)
    assert interval_of(spread, 0, seed=0, level=0.95).high == 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"level": 1.0}, "between 0 and 1"),
        ({"level": 0.999}, "at least 10000 resamples"),
        ({"resamples": 10}, "at least 200 resamples"),
        ({"seed": -1}, "seed"),
        ({"classes": [9]}, "not among"),
    ],
)
def test_what_cannot_be_is_refused(changes, words):
    with pytest.raises(EvaluationError, match=words):
        figure_intervals(drawn_table(), **changes)


def test_no_data_set_has_no_mean():
    with pytest.raises(EvaluationError, match="at least one"):
        mean_intervals([])


def test_intervals_hold_the_truth_as_often_as_they_say():
    # The large version is benchmarks/interval_coverage.py. Of 250 samples at 95 %, four standard errors are 5.5 points.
    spec = importlib.util.spec_from_file_location("interval_coverage", COVERAGE)
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    found = script.coverage(script.Scenario(30, 6, 1), samples=250, resamples=400)
    for figure in FIGURES:
        assert 0.895 < found["ours"][figure] <= 1
        assert 0.895 < found["difference"][figure] <= 1
    assert found["ours"]["macc"] > found["percentile"]["macc"]
