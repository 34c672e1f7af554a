"""Which path counts, what it imports, and that threads do not disturb each other."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate import ConfusionCounter, _kernels, confusion, counts
from ovrisisbench.evaluate._coded_counts import CodedTally, _torch_bincount
from ovrisisbench.evaluate._numba_counts import NumbaTally
from tests.evaluate.drawn_maps import large_pair


def imported_by(code):
    """Run code in a fresh interpreter and return which heavy modules it imported."""
    listing = "import sys; print(*[m for m in ('numpy', 'numba', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_costs_neither_numpy_nor_numba_nor_torch():
    assert imported_by("import ovrisisbench.evaluate") == []


def test_counting_arrays_does_not_import_torch():
    code = (
        "import numpy as np; from ovrisisbench.evaluate import confusion; a = np.zeros(9, np.uint8); confusion(a, a, 2)"
    )
    assert imported_by(code) == ["numpy", "numba"]


def test_auto_takes_numba_where_it_is_usable():
    assert isinstance(ConfusionCounter(3)._tally, NumbaTally)


def test_without_numba_auto_takes_torch_which_is_always_there(monkeypatch):
    monkeypatch.setattr(counts, "numba_is_usable", lambda: False)
    tally = ConfusionCounter(3)._tally
    assert isinstance(tally, CodedTally)
    assert tally._bincount is _torch_bincount


def test_forcing_numba_without_numba_says_what_to_install(monkeypatch):
    monkeypatch.setattr(counts, "numba_is_usable", lambda: False)
    with pytest.raises(EvaluationError, match=r"install ovrisisbench\[fast\]"):
        ConfusionCounter(3, path="numba")


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch):
    import numba

    njit = numba.njit

    def njit_without_a_cache(**options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(numba, "njit", njit_without_a_cache)
    doubled = _kernels.compile_kernel(lambda x: 2 * x)
    assert doubled(21) == 42


@pytest.mark.parametrize("path", ["numba", "torch", "numpy"])
def test_threads_counting_at_once_get_their_own_counts(path):
    pairs = [large_pair(9, (200, 300), seed=seed) for seed in range(24)]
    expected = [confusion(*pair, path=path) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        counted = list(pool.map(lambda pair: confusion(*pair, path=path), pairs))
    for ours, theirs in zip(counted, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
