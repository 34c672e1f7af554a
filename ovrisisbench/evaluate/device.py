"""Which device a run uses."""

from __future__ import annotations

from ovrisisbench.errors import EvaluationError

__all__ = ["device_name", "resolve_device"]


def resolve_device(wanted: str, *, local_rank: int = 0) -> str:
    """Return the torch device for this process.

    Args:
        wanted: ``auto`` (CUDA where there is one, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
        local_rank: number of the process on this machine; chooses the GPU for ``auto`` and ``cuda``.

    Raises:
        EvaluationError: no such device on this machine, or not a device's name.

    Example:
        >>> resolve_device("cpu")
        'cpu'
    """
    import torch

    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        wanted = "cuda" if available else "cpu"
    if wanted == "cpu":
        return "cpu"
    kind, _, number = wanted.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise EvaluationError(f"'{wanted}' is not a device; give auto, cpu, cuda or cuda:N to --device.")
    index = int(number) if number else local_rank
    if index >= available:
        have = f"{available} CUDA device(s), numbered from 0" if available else "no CUDA device that torch can use"
        raise EvaluationError(f"The device '{wanted}' does not exist: this machine has {have}; try --device auto.")
    return f"cuda:{index}"


def device_name(device: str) -> str:
    """Return the product name of a device, such as the processor's model, for a record."""
    import platform
    from pathlib import Path

    if device.startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(device))
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
