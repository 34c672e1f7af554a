"""Small networks whose every part matters."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.sed.config import TINY, SEDConfig
from ovrisisbench.adapters.sed.network import SED
from ovrisisbench.adapters.sed.official import file_layout
from tests.adapters.official_shapes import official_state

__all__ = ["TINY_LINEAR_HEAD", "sed_state", "tiny_network", "unit_vectors"]

TINY_LINEAR_HEAD = replace(TINY, mlp_head=False)
"""The tiny network with the head of ConvNeXt-B; its own is that of ConvNeXt-L."""


def tiny_network(config: SEDConfig = TINY, *, seed: int = 0) -> SED:
    """A network in evaluation mode, not folded, whose norms and scales are not the usual ones and zeros."""

    def build() -> SED:
        network = SED(config).eval()
        for module in network.modules():
            if isinstance(module, nn.LayerNorm | nn.GroupNorm):
                nn.init.normal_(module.weight, 1, 0.3)
                nn.init.normal_(module.bias, 0, 0.3)
        for name, parameter in network.named_parameters():
            if name.endswith("gamma"):
                nn.init.normal_(parameter, 1, 0.5)
        for projection in network.decoder.cost_projections:
            nn.init.normal_(projection.weight, 0, 0.3)  # cosines are small: more than the biases is to come through
        return network

    return seeded(build, seed)


def sed_state(network: SED) -> dict[str, Tensor]:
    """The state of a network as an official file has it, with what official files hold beyond it."""
    state = official_state(network, file_layout(network.config))
    state["sem_seg_head.predictor.clip_model.logit_scale"] = torch.tensor(4.6)
    return state


def unit_vectors(classes: int, width: int, *, seed: int = 0) -> Tensor:
    """Text embeddings (K, 80, width)."""
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(classes, 80, width, generator=generator), dim=-1)
