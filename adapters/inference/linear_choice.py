"""Deciding once for each machine whether packed linear layers are worth it.

The two kinds of layers differ in the last bits, so all processes of a run, and
a run that is resumed, must use the same kind. The decision is therefore
measured once, written down in the user's cache folder, and read from then on.
"""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Literal

import platformdirs
import torch
from filelock import FileLock

from ovrisisbench.adapters.inference.packed_linears import PackedLinear, packing_works
from ovrisisbench.atomic import write_text
from ovrisisbench.errors import AdapterError, OvrisisBenchError

__all__ = ["LinearKind", "resolve_linears"]

LinearKind = Literal["plain", "packed"]

_WORTH_IT = 1.15
"""Packed layers double the memory of the weights; they must be this much faster."""


def resolve_linears(wish: str, device: torch.device) -> LinearKind:
    """Turn ``auto``, ``plain`` or ``packed`` into the kind of linear layers to use.

    ``auto`` is packed where that is at least 1.15 times as fast on this
    processor with this torch; it is plain on any other device than the CPU,
    and where the decision could not be written down for the next process.

    Raises:
        AdapterError: ``packed`` where it cannot work.
    """
    if wish == "plain":
        return "plain"
    possible = device.type == "cpu" and packing_works()
    if wish == "packed" and not possible:
        raise AdapterError(
            f"linears=packed needs the CPU and a torch built with oneDNN, but the device is {device} and torch is "
            f"{torch.__version__}; leave the setting out or say linears=plain."
        )
    if wish == "packed":
        return "packed"
    return _remembered_choice(_choices_file()) if possible else "plain"


def _remembered_choice(file: Path) -> LinearKind:
    key = f"{_processor()}, torch {torch.__version__}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):
            ratios = _read(file)
            if key not in ratios:
                ratios[key] = round(_measured_ratio(), 3)
                write_text(file, json.dumps(ratios, indent=2, sort_keys=True) + "\n")
    except (OSError, OvrisisBenchError):
        return "plain"  # no cache folder: the next process could decide otherwise, so no one measures
    return "packed" if ratios[key] >= _WORTH_IT else "plain"


def _choices_file() -> Path:
    return Path(platformdirs.user_cache_dir("ovrisisbench")) / "packed-linear-speed.json"


def _read(file: Path) -> dict[str, float]:
    """The measured ratios (time plain / time packed); a damaged file counts as empty."""
    try:
        content = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, int | float)}


def _processor() -> str:
    """Name, family and model of the processor; cloud machines of several generations share one name."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor() or platform.machine()
    fields: dict[str, str] = {}
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    wanted = ("model name", "cpu family", "model")
    return " ".join(fields[name] for name in wanted if name in fields) or platform.machine()


@torch.no_grad()
def _measured_ratio() -> float:
    """Time of a plain layer divided by that of a packed one, at the size of a ViT-B projection."""
    plain = torch.nn.Linear(768, 768)
    packed = PackedLinear.adopting(plain)
    packed.fold()
    x = torch.linspace(-1, 1, 577 * 768).reshape(577, 768)
    times: dict[str, list[float]] = {"plain": [], "packed": []}
    for _ in range(5):
        for name, layer in (("plain", plain), ("packed", packed)):
            start = time.perf_counter()
            layer(x)
            times[name].append(time.perf_counter() - start)
    return min(times["plain"]) / min(times["packed"])
