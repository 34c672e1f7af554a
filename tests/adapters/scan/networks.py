"""Tiny networks in which every weight matters, and their official files."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.scan.config import TINY, SCANConfig
from ovrisisbench.adapters.scan.network import SCAN
from ovrisisbench.adapters.scan.official import file_layout
from tests.adapters.official_shapes import official_state

__all__ = ["lively", "scan_state"]

_MASKS = "predictor.decoder.mask_predictor.mask_embedder.2.0"


def lively(config: SCANConfig = TINY, seed: int = 1) -> SCAN:
    """A network with no noughts for biases and tables, whose masks differ and cover a few pixels each."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SCAN(config).eval().requires_grad_(False)
        for name, parameter in network.named_parameters():
            if name.endswith(("bias", "bias_table")) or ("norm" in name and parameter.ndim == 1):
                parameter.add_(0.2 * torch.randn_like(parameter))
            elif "sampling_offsets" in name or "attention_weights" in name:
                nn.init.normal_(parameter, std=0.3)
        network.non_object_embedding.normal_()
        _thin_out(network)
    return network


def _thin_out(network: SCAN) -> None:
    """Stretch the mask logits and lower them all by the same number, through a channel that is one everywhere."""
    weight, bias = (network.segmenter.get_parameter(f"{_MASKS}.{leaf}") for leaf in ("weight", "bias"))
    features = network.segmenter.pixel_decoder.mask_projection
    weight.mul_(60)
    for tensor in (weight[0], bias, features.weight[0], features.bias):
        tensor.zero_()
    features.bias[0], bias[0] = 1, -8


def scan_state(network: SCAN, *, classes: int = 171) -> dict[str, Tensor]:
    """The state of a network as an official file has it, with what official files hold beyond it."""
    state = official_state(network, file_layout(network.config))
    window = network.config.swin.window**2
    return {
        **state,
        "clip_adapter.clip_model.logit_scale": torch.tensor(4.6),
        "clip_adapter.pixel_mean": torch.zeros(1, 3, 1, 1),
        "clip_adapter.pixel_std": torch.ones(1, 3, 1, 1),
        "criterion.empty_weight": torch.ones(classes + 1),
        "backbone.layers.0.blocks.0.attn.relative_position_index": torch.zeros(window, window),
    }
