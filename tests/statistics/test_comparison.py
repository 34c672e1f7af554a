from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ovrisisbench.errors import EvaluationError, RecordError
from ovrisisbench.evaluate.metrics import compute_metrics
from ovrisisbench.statistics import FIGURES, Settings, compare_models, holm, mean_contest, paired_comparison
from ovrisisbench.statistics.differences import least_detectable, rank_shares
from tests.statistics.drawn_counts import drawn_confusions, drawn_table, table_of

models = st.tuples(st.floats(0.2, 0.9), st.integers(0, 1000))
FEW = {"resamples": 300}


@given(models)
@settings(max_examples=10, deadline=None)
def test_a_model_against_itself_differs_by_exactly_nothing_and_never_wins(model):
    table = drawn_table(quality=model[0], seed=model[1])
    pair = paired_comparison(table, table, **FEW)
    for difference in (*pair.figures.values(), *pair.iou, *pair.acc):
        assert difference.difference == 0
        assert (difference.wins, difference.ties, difference.p) == (0, 1, 1)
        assert (difference.interval.low, difference.interval.high) == (0, 0)
        assert difference.least_detectable == 0


@given(models, models)
@settings(max_examples=15, deadline=None)
def test_to_swap_a_and_b_turns_every_sign(one, other):
    a, b = (drawn_table(quality=quality, seed=seed) for quality, seed in (one, other))
    there, back = paired_comparison(a, b, **FEW), paired_comparison(b, a, **FEW)
    for figure in FIGURES:
        first, second = there.figures[figure], back.figures[figure]
        assert first.difference == -second.difference
        assert first.p == pytest.approx(second.p, rel=1e-9, abs=1e-12)
        assert first.wins == pytest.approx(1 - second.wins - second.ties)
        assert first.interval.low == pytest.approx(-second.interval.high, abs=1e-12)
        assert first.interval.high == pytest.approx(-second.interval.low, abs=1e-12)
        assert first.least_detectable == pytest.approx(second.least_detectable)


@given(models, models, st.sampled_from([0.9, 0.95, 0.99]))
@settings(max_examples=15, deadline=None)
def test_the_p_value_is_small_exactly_where_the_interval_leaves_zero_out(one, other, level):
    a, b = (drawn_table(quality=quality, seed=seed) for quality, seed in (one, other))
    for difference in paired_comparison(a, b, resamples=1000, level=level).figures.values():
        holds_zero = difference.interval.low <= 0 <= difference.interval.high
        if abs(difference.p - (1 - level)) > 1e-9:
            assert holds_zero == (difference.p > 1 - level)


def test_figures_are_those_of_the_records():
    tables = [drawn_table(quality=quality, seed=1) for quality in (0.4, 0.7)]
    pair = paired_comparison(*tables)
    for own, table in (("a", tables[0]), ("b", tables[1])):
        metrics = compute_metrics(table.confusion())
        for figure in FIGURES:
            assert getattr(pair.figures[figure], own) == pytest.approx(getattr(metrics, figure))
        for index, iou in enumerate(metrics.iou):
            assert getattr(pair.iou[index], own) == pytest.approx(iou)


def test_the_p_value_is_near_that_of_a_t_test_where_a_figure_is_a_mean_of_scenes():
    # Equal pixels in every scene make pACC the plain mean over scenes.
    rng = np.random.default_rng(3)
    found = np.stack([rng.integers(400, 600, 60), rng.integers(380, 590, 60)])
    tables = [table_of([[[right, 1000 - right], [0, 0]] for right in own]) for own in found]
    difference = paired_comparison(*tables, resamples=20_000).figures["pacc"]
    test = stats.ttest_rel(found[0] / 1000, found[1] / 1000)
    assert difference.p == pytest.approx(test.pvalue, rel=0.25)
    interval = test.confidence_interval(0.95)
    assert (difference.interval.low, difference.interval.high) == pytest.approx(tuple(interval), abs=0.002)
    assert difference.interval.standard_error == pytest.approx(test.statistic**-1 * difference.difference)


def test_pairing_cancels_what_makes_a_scene_hard_for_both():
    rng = np.random.default_rng(0)
    hard = rng.integers(100, 900, 40)
    tables = [table_of([[[right + more, 1000 - right - more], [0, 0]] for right in hard]) for more in (0, 5)]
    pair = paired_comparison(*tables).figures["pacc"]
    assert pair.wins == 0
    assert pair.interval.standard_error < 1e-9
    assert pair.difference == pytest.approx(-0.005)


def test_the_least_detectable_difference_is_found_with_its_power():
    for freedom, power in ((29, 0.8), (99, 0.9), (9, 0.5)):
        shift = least_detectable(1.0, freedom, level=0.95, power=power)
        threshold = stats.t.ppf(0.975, freedom)
        found = stats.nct.sf(threshold, freedom, shift) + stats.nct.cdf(-threshold, freedom, shift)
        assert found == pytest.approx(power, abs=0.03)


def test_holm_is_done_as_by_hand():
    assert holm([0.01, 0.02, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert holm([0.5, None, 0.001, 0.9]) == pytest.approx([1.0, None, 0.003, 1.0])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(deadline=None)
def test_holm_rejects_what_closed_testing_by_bonferroni_rejects(p_values):
    # A hypothesis falls if every intersection of hypotheses with it falls by Bonferroni.
    everything = range(len(p_values))
    for index, adjusted in enumerate(holm(p_values)):
        subsets = [
            chosen
            for size in range(1, len(p_values) + 1)
            for chosen in combinations(everything, size)
            if index in chosen
        ]
        closed = max(min(1.0, len(chosen) * min(p_values[other] for other in chosen)) for chosen in subsets)
        assert adjusted == pytest.approx(closed)


def test_all_pairs_are_compared_and_corrected_together():
    contest = compare_models([drawn_table(quality=quality, seed=seed) for seed, quality in enumerate((0.5, 0.52, 0.9))])
    assert [(pair.a, pair.b) for pair in contest.pairs] == [(0, 1), (0, 2), (1, 2)]
    for figure in FIGURES:
        raw = [pair.figures[figure].p for pair in contest.pairs]
        assert [pair.p_adjusted[figure] for pair in contest.pairs] == holm(raw)
    shares = np.array(contest.ranks["miou"])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares[2, 0] == 1
    assert contest.pairs[0].figures["miou"].wins == shares[0, 1]
    assert 0 < shares[0, 1] < 1


def test_ranks_are_counted_as_by_scipy():
    values = np.random.default_rng(0).integers(0, 4, (500, 5)).astype(float)
    ranks = stats.rankdata(-values, method="min", axis=1)
    expected = [[(ranks[:, model] == rank).mean() for rank in range(1, 6)] for model in range(5)]
    np.testing.assert_allclose(rank_shares(values), expected)


def test_a_mean_over_data_sets_is_one_of_independent_resamples():
    contests = [
        compare_models([drawn_table(quality=q, seed=s, truth_seed=s, classes=3 + s) for q in (0.5, 0.6)], stream=s)
        for s in range(3)
    ]
    mean = mean_contest(contests)
    difference = mean.pairs[0].figures["miou"]
    single = [contest.pairs[0].figures["miou"] for contest in contests]
    assert difference.difference == pytest.approx(np.mean([one.difference for one in single]))
    assert difference.interval.standard_error == pytest.approx(
        np.sqrt(sum(one.interval.standard_error**2 for one in single)) / 3
    )
    assert mean.scenes == 90
    assert mean.pairs[0].iou == ()


def test_few_scenes_leave_the_figures_and_nothing_else():
    contest = compare_models([drawn_table(images=3, seed=seed) for seed in (0, 1)])
    difference = contest.pairs[0].figures["miou"]
    assert difference.difference == difference.a - difference.b
    assert {difference.interval, difference.wins, difference.p, difference.least_detectable} == {None}
    assert contest.ranks == {}
    with_many = compare_models([drawn_table(seed=seed, truth_seed=1) for seed in (0, 1)], stream=1)
    mean = mean_contest([contest, with_many]).pairs[0].figures["miou"]
    assert mean.interval is None
    assert mean.difference == pytest.approx((difference.difference + with_many.pairs[0].figures["miou"].difference) / 2)


def test_a_class_in_few_scenes_has_no_interval_of_its_own():
    confusions = drawn_confusions(20, 3)
    confusions[3:, 2] = 0
    pair = paired_comparison(table_of(confusions), table_of(confusions))
    assert pair.iou[2].interval is None
    assert pair.iou[0].interval is not None


def test_only_the_classes_asked_for_are_averaged_over():
    a, b = (drawn_table(seed=seed) for seed in (0, 1))
    pair = paired_comparison(a, b, classes=[1, 2])
    expected = [np.mean(compute_metrics(table.confusion()).iou[1:3]) for table in (a, b)]
    assert [pair.figures["miou"].a, pair.figures["miou"].b] == pytest.approx(expected)
    assert pair.iou[0] is None


def test_other_images_scenes_or_labels_are_refused():
    table = drawn_table()
    with pytest.raises(RecordError, match="different images"):
        paired_comparison(table, drawn_table(images=31))
    with pytest.raises(RecordError, match="different scenes"):
        paired_comparison(table, table_of(drawn_confusions(30, 4), scenes=["one"] * 30))
    with pytest.raises(RecordError, match="labels of the images differ"):
        paired_comparison(table, drawn_table(truth_seed=1))
    with pytest.raises(RecordError, match="labels of the images differ"):
        paired_comparison(table, drawn_table(classes=5))


def test_an_impossible_power_is_refused():
    with pytest.raises(EvaluationError, match=r"power is 1\.0"):
        compare_models([drawn_table()], Settings(power=1.0))
