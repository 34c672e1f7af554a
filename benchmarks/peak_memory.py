"""Print how many MiB one way of making a 2160×4096 label map of 17 classes takes at its peak (Linux only).

    python benchmarks/peak_memory.py numba|torch|interpolate

One fresh process per way. The peak is reset after imports and compilation,
which need far more than the work itself; the label map that is returned counts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ovrisisbench.evaluate import label_map


def label(way: str, logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Make the label map; ``interpolate`` is the plain way."""
    if way == "interpolate":
        scores = F.interpolate(torch.from_numpy(logits)[None], size=size, mode="bilinear")
        return scores[0].argmax(0).numpy()
    return label_map(logits, size, path=way)


def mebibytes(field: str) -> float:
    """Read a memory figure of this process."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise OSError(f"/proc/self/status has no {field}")
    return int(found[1]) / 1024


def main() -> None:
    """Measure one way."""
    torch.set_num_threads(1)
    logits = np.random.default_rng(0).random((17, 96, 96), dtype=np.float32)
    label(sys.argv[1], logits, (300, 300))
    Path("/proc/self/clear_refs").write_text("5")
    before = mebibytes("VmRSS")
    labels = label(sys.argv[1], logits, (2160, 4096))
    print(f"{mebibytes('VmHWM') - before:.1f}")
    del labels


if __name__ == "__main__":
    main()
