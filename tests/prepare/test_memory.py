"""Large scenes: the memory of one worker stays near one decoded picture."""

import subprocess
import sys

import numpy as np
import pytest

from tests.drawn.isaid import png
from tests.drawn.isaid_scenes import draw_scene

SCRIPT = """
import resource, sys
from pathlib import Path
from ovrisisbench.prepare import prepare
prepare("isaid", Path(sys.argv[1]), Path(sys.argv[2]), workers=1, allow_partial=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_mib(tmp_path, side):
    picture, mask = (np.tile(pixels, (-(-side // 600), -(-side // 700), 1))[:side, :side] for pixels in draw_scene(0))
    folder = tmp_path / str(side) / "train"
    folder.mkdir(parents=True)
    (folder / "P0001.png").write_bytes(png(picture))
    (folder / "P0001_instance_color_RGB.png").write_bytes(png(mask))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder.parent, tmp_path / f"data{side}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return int(done.stdout) / 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems count peak memory in other units")
def test_peak_memory_is_below_one_and_a_half_times_the_scene(tmp_path):
    side = 5000
    scene = side * side * 3 / 2**20
    assert peak_mib(tmp_path, side) - peak_mib(tmp_path, 400) < 1.5 * scene + 16
