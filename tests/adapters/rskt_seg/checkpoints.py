"""Official RSKT-Seg checkpoints as small files."""

from __future__ import annotations

import torch
from torch import Tensor

from ovrisisbench.adapters.cost_aggregation.official_names import HEAD, PREDICTOR
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.official import file_layout
from tests.adapters.official_shapes import official_state

__all__ = ["rskt_state"]


def rskt_state(network: RSKTSeg) -> dict[str, Tensor]:
    """The state of a network as an official file has it, with what official files hold beyond it."""
    config = network.config
    state = official_state(network, file_layout(config))
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
