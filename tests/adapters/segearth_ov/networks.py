"""Small networks for the tests, every weight of them at work."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

from ovrisisbench.adapters.segearth_ov.config import TINY, SegEarthOVConfig
from ovrisisbench.adapters.segearth_ov.network import SegEarthOV

__all__ = ["lively"]


@cache
def lively(config: SegEarthOVConfig = TINY) -> SegEarthOV:
    """A network whose biases, gains and temperatures are not their plain start values; not to be changed."""
    generator = torch.Generator().manual_seed(3)
    network = SegEarthOV(config).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.1, generator=generator)
        elif "ln_" in name:
            nn.init.normal_(parameter, mean=1, std=0.1, generator=generator)
        elif parameter.ndim > 1:
            deviation = 0.3 if "embedding" in name else parameter[0].numel() ** -0.5
            nn.init.normal_(parameter, std=deviation, generator=generator)
    nn.init.normal_(network.clip.class_embedding, std=0.3, generator=generator)
    network.upsampler.up.range_temp.fill_(0.4)
    network.upsampler.up.sigma_spatial.fill_(0.7)
    return network
