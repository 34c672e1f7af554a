"""Small networks for the tests, every weight of them at work."""

from __future__ import annotations

import torch
from torch import nn

from ovrisisbench.adapters.plain_clip.config import TINY, PlainCLIPConfig
from ovrisisbench.adapters.plain_clip.network import PlainCLIP

__all__ = ["lively"]


def lively(config: PlainCLIPConfig = TINY) -> PlainCLIP:
    """A network whose biases and gains are not their plain start values."""
    generator = torch.Generator().manual_seed(3)
    network = PlainCLIP(config).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if "ln_" in name and name.endswith("weight"):
            nn.init.normal_(parameter, mean=1, std=0.1, generator=generator)
        elif parameter.ndim == 1:
            nn.init.normal_(parameter, std=0.1, generator=generator)
        else:
            deviation = 0.3 if "embedding" in name else parameter[0].numel() ** -0.5
            nn.init.normal_(parameter, std=deviation, generator=generator)
    return network
