"""A 1x1 convolution over tokens."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Pointwise"]


class Pointwise(nn.Conv2d):
    """A linear layer over tokens (..., C) whose weight has the shape of a 1x1 convolution, as official files store it.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out_channels) for tokens (..., in_channels)."""
        return F.linear(x, self.weight.flatten(1), self.bias)
