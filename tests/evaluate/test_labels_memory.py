"""How much memory the label map of a large image takes, the map itself included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_METER = Path(__file__).parents[2] / "benchmarks" / "peak_memory.py"
_LABELS_MIB = 2160 * 4096 / 2**20

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux can reset the peak of a process"
)


def peak_mebibytes(way):
    done = subprocess.run([sys.executable, _METER, way], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize("path", ["numba", "torch"])
def test_a_4k_label_map_takes_less_than_60_mebibytes(path):
    # Pages that the process had kept from its warm-up are not new, hence not quite the whole map.
    assert 0.5 * _LABELS_MIB < peak_mebibytes(path) < 60


@pytest.mark.slow
def test_the_meter_sees_the_full_resolution_scores_of_the_plain_way():
    assert peak_mebibytes("interpolate") > 17 * 4 * _LABELS_MIB
