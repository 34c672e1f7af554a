"""Small networks for the tests, every weight of them at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.plain_clip.config import BACKBONES, TINY, PlainCLIPConfig
from ovrisisbench.adapters.plain_clip.network import PlainCLIP
from ovrisisbench.adapters.plain_clip.official import file_layout
from ovrisisbench.adapters.segearth_ov.config import TINY as SEGEARTH_OV
from tests.adapters.official_shapes import official_state

__all__ = ["lively", "two_models_files"]


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


@contextmanager
def two_models_files() -> Iterator[dict[str, Tensor]]:
    """Give a file of CLIP that both plain CLIP and SegEarth-OV read, as they both read that of ViT-B/16.

    The small networks of the two have towers of their own; inside, plain CLIP's is SegEarth-OV's.
    """
    own = BACKBONES["tiny"]
    BACKBONES["tiny"] = config = PlainCLIPConfig(clip=SEGEARTH_OV.clip, grid=6)
    try:
        yield official_state(lively(config), file_layout(config))
    finally:
        BACKBONES["tiny"] = own
