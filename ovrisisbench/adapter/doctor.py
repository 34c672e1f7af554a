"""The checkpoint doctor: which model, backbone and vocabulary a file of weights is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ovrisisbench.adapter.checkpoints import file_digest, read_state_dict
from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapter.registry import FoundAdapter, list_adapters, load_object
from ovrisisbench.errors import AdapterError, CheckpointError

__all__ = ["Diagnosis", "diagnose", "recognise"]

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the doctor found out about one file."""

    file: str
    """File name without its folder."""
    sha256: str
    tensors: int
    parameters: int
    """Values in all tensors together."""
    reports: tuple[CheckpointReport, ...]
    """One for each installed model that knows the file; usually one, none if nobody does."""
    key_prefixes: tuple[str, ...]
    """The first parts of the key names, for a file that nobody knows."""
    skipped: tuple[str, ...]
    """One sentence for each plug-in whose reader failed."""

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dictionaries, keys as documented in ``docs/cli.md``."""
        return asdict(self)


def diagnose(path: Path, *, also: FoundAdapter | None = None) -> Diagnosis:
    """Examine a file of weights.

    Args:
        path: see :func:`ovrisisbench.adapter.checkpoints.read_state_dict` for the formats.
        also: a model to ask beside the installed ones, such as one given as a file.

    Raises:
        CheckpointError: the file cannot be read safely.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    parameters = 0
    for key, tensor in read_state_dict(path).items():
        shapes[key] = tuple(tensor.shape)
        parameters += tensor.numel()
    reports, skipped = recognise(shapes, also=also)
    prefixes = sorted({".".join(key.split(".")[:2]) for key in shapes})
    return Diagnosis(
        file=path.name,
        sha256=file_digest(path),
        tensors=len(shapes),
        parameters=parameters,
        reports=tuple(reports),
        key_prefixes=tuple(prefixes),
        skipped=tuple(skipped),
    )


def recognise(shapes: Shapes, *, also: FoundAdapter | None = None) -> tuple[list[CheckpointReport], list[str]]:
    """Ask every installed model whether a file is its own.

    Args:
        shapes: tensor shapes by key.
        also: a model to ask beside the installed ones.

    Returns:
        The reports of those that know it, and a sentence for each reader that failed.
    """
    reports: list[CheckpointReport] = []
    skipped: list[str] = []
    installed = {found.info.name: found for found in list_adapters()[0]}
    if also is not None:
        installed[also.info.name] = also
    for found in installed.values():
        if not found.info.checkpoint_reader:
            continue
        try:
            reader: Callable[[Shapes], CheckpointReport | None] = load_object(
                found.info.checkpoint_reader, what=f"the checkpoint reader of '{found.info.name}'"
            )
            report = reader(shapes)
        except (AdapterError, CheckpointError) as error:
            skipped.append(str(error))
            continue
        if report is not None:
            reports.append(report)
    return reports, skipped
