"""From scores to labels: ovrisisbench against ``F.interpolate`` followed by ``argmax``.

    python benchmarks/label_map.py

Bars, from 17×96×96 scores to 1024×1024 pixels on one thread: 50x with numba, 4x
without; and less than 60 MiB of memory at 2160×4096. Exits with 1 if one is missed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from drawn_tiles import score_tiles
from timing import Bar, compare, print_verdict

from ovrisisbench.evaluate import label_map

_PEER = "interpolate + argmax"
_NUMBA = "ovrisisbench, numba"
_TORCH = "ovrisisbench, torch (without numba)"
_MEMORY_BAR_MIB = 60


def stretched(scores: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """Return the scores at full resolution."""
    return F.interpolate(torch.from_numpy(scores)[None], size=size, mode="bilinear", align_corners=False)[0]


def interpolate_argmax(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Label as all published evaluations do."""
    return stretched(scores, size).argmax(0).numpy()


def interpolate_max(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Label with the faster of torch's two argmaxes."""
    return stretched(scores, size).max(0).indices.numpy()


def ours(path: str) -> Callable[..., np.ndarray]:
    """Return label_map on one path."""
    return lambda scores, size: label_map(scores, size, path=path)


def memory_is_met() -> bool:
    """Print the peak of every way, each in a process of its own."""
    if not Path("/proc/self/clear_refs").exists():
        print("\nmemory: not measured, only Linux can reset the peak of a process")
        return True
    print("\n17×96×96 -> 2160×4096: peak memory above the start")
    met = True
    for way in ("interpolate", "numba", "torch"):
        script = Path(__file__).with_name("peak_memory.py")
        done = subprocess.run([sys.executable, script, way], capture_output=True, text=True, check=True)
        peak = float(done.stdout)
        verdict = "" if way == "interpolate" else f", bar {_MEMORY_BAR_MIB} MiB: "
        if verdict:
            verdict += "met" if peak < _MEMORY_BAR_MIB else "MISSED"
            met = met and peak < _MEMORY_BAR_MIB
        print(f"  {way:42s} {peak:9.1f} MiB{verdict}")
    return met


def main() -> int:
    """Run all tables."""
    torch.set_num_threads(1)
    own = {_NUMBA: ours("numba"), _TORCH: ours("torch")}
    all_met = compare(
        "17×96×96 -> 1024×1024",
        {_PEER: interpolate_argmax, "interpolate + max(0).indices": interpolate_max, **own},
        score_tiles(8, 17, 96, (1024, 1024)),
        rounds=7,
        bars=[Bar(_NUMBA, _PEER, 50), Bar(_TORCH, _PEER, 4)],
    )
    for num_classes, cells, size, count in (
        (6, 96, (1024, 1024), 6),
        (64, 96, (1024, 1024), 3),
        (8, 24, (512, 512), 12),
        (17, 96, (2160, 4096), 2),
    ):
        title = f"{num_classes}×{cells}×{cells} -> {size[0]}×{size[1]}"
        compare(title, {_PEER: interpolate_argmax, **own}, score_tiles(count, num_classes, cells, size), rounds=3)
    return print_verdict(all_met=memory_is_met() and all_met)


if __name__ == "__main__":
    sys.exit(main())
