"""The sentences for files that do not fit the model they were given to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.doctor import recognise
from ovrisisbench.adapter.interface import AdapterInfo, CheckpointReport
from ovrisisbench.adapters.official_files.layout import Shapes
from ovrisisbench.errors import AdapterError, CheckpointError, did_you_mean

__all__ = ["check_backbone", "read_own", "shapes_of"]

Reader = Callable[[Shapes], CheckpointReport | None]


def check_backbone(info: AdapterInfo, backbone: str) -> None:
    """Refuse a backbone that a model does not have.

    Raises:
        AdapterError: names the ones there are.
    """
    if backbone not in info.backbones:
        raise AdapterError(
            f"{info.title} has no backbone {backbone!r}; there are {', '.join(info.backbones)}."
            f"{did_you_mean(backbone, info.backbones)}"
        )


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of tensors by key."""
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def read_own(
    path: Path,
    info: AdapterInfo,
    backbone: str,
    reader: Reader,
    *,
    beside: Mapping[str, Tensor] | None = None,
    hint: str = "",
) -> tuple[dict[str, Tensor], CheckpointReport]:
    """Read a file of weights and refuse it unless it is a whole one of this model and backbone.

    Args:
        path: the file.
        info: the model.
        backbone: what was asked for.
        reader: the model's checkpoint reader.
        beside: tensors from other files, under the names they would have in this one.
        hint: what else a user may do if it is another model's.

    Returns:
        Its tensors by official name, and what the reader says of it.

    Raises:
        CheckpointError: unreadable, another model's, for another backbone, incomplete, or with tensors unknown
            to the model; one sentence each.
        AdapterError: the model has no such backbone.
    """
    check_backbone(info, backbone)
    state = {**read_state_dict(path), **(beside or {})}
    shapes = shapes_of(state)
    report = reader(shapes)
    if report is None:
        raise CheckpointError(_another_models(path, info, shapes, hint))
    if report.backbone != backbone:
        raise CheckpointError(f"{path} is for {report.backbone}, not {backbone}; say --backbone {report.backbone}.")
    _check_whole(path, info, report)
    return state, report


def _another_models(path: Path, info: AdapterInfo, shapes: Shapes, hint: str) -> str:
    others = [report for report in recognise(shapes)[0] if report.model != info.name]
    if not others:
        return (
            f"{path} is not a checkpoint of {info.title}: none of the tensors that tell its files apart is in it; "
            "check the path, or look at the file with 'ovrisis-bench checkpoint'."
        )
    other = others[0]
    return (
        f"{path} is a checkpoint of {other.model} ({other.backbone}), not of {info.name}; "
        f"say --model {other.model}, or give another file{hint}."
    )


def _check_whole(path: Path, info: AdapterInfo, report: CheckpointReport) -> None:
    if report.outside:
        raise CheckpointError(f"{path} does not hold everything that {info.title} needs: {report.outside[0]}.")
    if report.missing:
        raise CheckpointError(
            f"{path} is incomplete, {_counted(report.missing)} missing: {_some(report.missing)}; download it again."
        )
    if report.misshapen:
        raise CheckpointError(
            f"{path} does not fit {info.title}, {_counted(report.misshapen)} of the wrong shape: "
            f"{_some(report.misshapen)}; check the file."
        )
    if report.unused:
        raise CheckpointError(
            f"{path} does not fit {info.title}, {_counted(report.unused)} unknown to it: "
            f"{_some(report.unused)}; check the file."
        )


def _counted(keys: Sequence[str]) -> str:
    return "1 tensor is" if len(keys) == 1 else f"{len(keys)} tensors are"


def _some(keys: Sequence[str]) -> str:
    rest = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + rest
