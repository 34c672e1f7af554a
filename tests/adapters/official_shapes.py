"""Names and shapes of official checkpoints, from the parity cases, and files that hold them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.official_files.layout import FileLayout

__all__ = ["case_shapes", "official_state", "write_checkpoint", "write_zeros"]

_CASES = Path(__file__).parents[1] / "parity" / "cases"

Shapes = dict[str, tuple[int, ...]]


def case_shapes(case: str) -> Shapes:
    """Names and shapes of the official checkpoint of a parity case."""
    tensors = json.loads((_CASES / f"{case}.json").read_text())["tensors"]
    return {name: tuple(shape) for name, shape, _kind in tensors}


def official_state(network: nn.Module, layout: FileLayout) -> dict[str, Tensor]:
    """The state of a network as an official file has it."""
    return layout.official_state(network)


def write_checkpoint(path: Path, state: dict[str, Tensor]) -> Path:
    """Write a file as Detectron2 does."""
    torch.save({"model": {key: tensor.clone() for key, tensor in state.items()}, "iteration": 29_999}, path)
    return path


def write_zeros(path: Path, shapes: Shapes) -> Path:
    """Write a small file that has tensors of these shapes."""
    torch.save({"model": {key: torch.zeros(()).expand(shape) for key, shape in shapes.items()}}, path)
    return path
