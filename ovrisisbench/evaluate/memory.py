"""How much memory a piece of work takes at its peak: of the GPU, or of this process."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

__all__ = ["PeakMemory"]

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


class PeakMemory:
    """Measures from its creation on; above what was in use then.

    On a GPU it is what torch's allocator held. On a CPU it is the resident
    memory of the process, which Linux alone tells; anywhere else :meth:`mib` is None.

    Args:
        device: the torch device that does the work.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._before = 0.0
        self.restart()
        self._before = _mebibytes("VmRSS") or 0.0

    def restart(self) -> None:
        """Forget the peak so far; what was in use at the creation stays the base."""
        if self._device.startswith("cuda"):
            import torch

            torch.cuda.reset_peak_memory_stats(self._device)
            return
        with suppress(OSError):
            _RESET.write_text("5")  # resets the high-water mark of this process

    @property
    def kind(self) -> str:
        """What is measured, in words."""
        if self._device.startswith("cuda"):
            return "held by torch on the GPU, weights included"
        return "resident memory of the process, above what it had before the model was loaded"

    def mib(self) -> float | None:
        """Return the peak in MiB; None where the system does not tell."""
        if self._device.startswith("cuda"):
            import torch

            return float(torch.cuda.max_memory_allocated(self._device)) / 2**20
        peak = _mebibytes("VmHWM")
        return None if peak is None else max(0.0, peak - self._before)


def _mebibytes(name: str) -> float | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None
