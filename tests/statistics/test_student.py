import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ovrisisbench.statistics.student import t_quantile, t_two_sided

freedoms = st.floats(1, 1e6)


@given(st.floats(-1e4, 1e4), freedoms)
@settings(deadline=None)
def test_tail_probabilities_are_those_of_scipy(t, freedom):
    assert t_two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-7, abs=1e-300)


@given(st.floats(0.01, 0.9999), freedoms)
@settings(deadline=None)
def test_quantiles_are_those_of_scipy(level, freedom):
    assert t_quantile(level, freedom) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-7)


def test_the_ends_are_exact():
    assert t_two_sided(0.0, 5) == 1.0
    assert t_two_sided(math.inf, 5) == 0.0
    assert t_two_sided(-2.0, 5) == t_two_sided(2.0, 5)
