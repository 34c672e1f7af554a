"""Official checkpoints, as shapes and as small files."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official_names import HEAD, PREDICTOR, official_names

__all__ = ["official_state", "other_models", "rskt_shapes", "write_checkpoint"]

_CASES = Path(__file__).parents[2] / "parity" / "cases"


def rskt_shapes(case: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the official checkpoint of a parity case."""
    tensors = json.loads((_CASES / f"{case}.json").read_text())["tensors"]
    return {name: tuple(shape) for name, shape, _kind in tensors}


@cache
def other_models() -> dict[str, dict[str, tuple[int, ...]]]:
    """Names and shapes of the official checkpoints of other models, by parity case."""
    content = gzip.decompress(Path(__file__).with_name("other_models.json.gz").read_bytes())
    return {
        case: {name: tuple(shape) for name, shape in tensors.items()} for case, tensors in json.loads(content).items()
    }


def official_state(network: RSKTSeg) -> dict[str, Tensor]:
    """The state of a network as an official file has it, with what official files hold beyond it."""
    config = network.config
    state: dict[str, Tensor] = {}
    for key, tensor in network.state_dict().items():
        names = official_names(key, efficient=config.efficient)
        state |= dict(zip(names, tensor.chunk(len(names)), strict=True))
    state[f"{PREDICTOR}clip_model.logit_scale"] = torch.tensor(4.6)
    if config.remote_clip:
        state[f"{PREDICTOR}clip_model_remote.visual.proj"] = torch.zeros(2, 2)
        state[f"{PREDICTOR}clip_model_remote.token_embedding.weight"] = torch.zeros(2, 2)
    if not config.efficient:
        for layer in range(config.layers):
            windows, length = (config.grid // config.window) ** 2, config.window**2
            mask = torch.zeros(windows, length, length)
            state[f"{HEAD}layers.{layer}.swin_block.block_2.attn_mask"] = mask
    return state


def write_checkpoint(path: Path, state: dict[str, Tensor]) -> Path:
    """Write a file as Detectron2 does."""
    torch.save({"model": {key: tensor.clone() for key, tensor in state.items()}, "iteration": 29_999}, path)
    return path
