"""Enlarging feature maps: encoder guidance, and the two up-sampling stages that use it.

Every transposed convolution here is followed by a 3x3 convolution with nothing
in between. With kernel = stride = s, the two are one transposed convolution of
kernel s + 2, stride s, padding 1, plus a fixed map for the bias of the first
(it is not constant: the 3x3 kernel sees zeros beyond the border).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import Foldable

__all__ = ["GuidanceBranch", "UpsamplingStage", "enlarged", "folded_enlargement"]


class GuidanceBranch(Foldable):
    """One intermediate encoder map, brought to the size and width at which the decoder takes it.

    Args:
        upsample: the feature adapter, a (transposed) convolution.
        out_channels: channels of the guidance.
        grid: side of the maps that come in, in cells.
    """

    def __init__(self, upsample: nn.Conv2d | nn.ConvTranspose2d, out_channels: int, *, grid: int) -> None:
        super().__init__()
        self.upsample = upsample
        self.project = nn.Conv2d(upsample.out_channels, out_channels, 3, padding=1)
        self.grid = grid

    def forward(self, features: Tensor) -> Tensor:
        """Return the guidance (B, out_channels, H, W) of encoder features (B, D, grid, grid)."""
        if self.folded is not None:
            kernel, offset = self.folded
            return F.relu(enlarged(features, kernel, stride=self.upsample.stride[0]) + offset)
        return F.relu(self.project(self.upsample(features)))

    def fold(self) -> None:
        """Fold the two convolutions; a 1x1 adapter is left as it is, folding it would cost more than it saves."""
        if isinstance(self.upsample, nn.ConvTranspose2d):
            super().fold()

    def _fold(self) -> tuple[Tensor, ...]:
        return folded_enlargement(self.upsample, self.project.weight, self.project.bias, grid=self.grid)


class UpsamplingStage(Foldable):
    """One stage of the decoder, ``Fusiondecoder{1,2}``: double the size, join the guidance, convolve twice.

    Args:
        in_channels: channels of the maps that come in.
        up_channels: channels after the transposed convolution.
        guidance: channels of all guidance maps together; 0 for none.
        out_channels: channels that go out; GroupNorm has groups of 16.
        grid: side of the maps that come in, in cells.
    """

    def __init__(self, in_channels: int, up_channels: int, guidance: int, out_channels: int, *, grid: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, up_channels, 2, stride=2)
        self.conv1 = nn.Conv2d(up_channels + guidance, out_channels, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(max(1, out_channels // 16), out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(max(1, out_channels // 16), out_channels)
        self.grid = grid

    def forward(self, x: Tensor, guidance: Tensor | None) -> Tensor:
        """Enlarge the maps of every class under the guidance of their image.

        Args:
            x: (B, K, C, grid, grid).
            guidance: (B, G, 2 * grid, 2 * grid), the same for every class; None for no guidance.

        Returns:
            (B, K, out_channels, 2 * grid, 2 * grid).
        """
        batch = x.shape[:2]
        y = self._upsampled(x.flatten(0, 1)).unflatten(0, batch)
        if guidance is not None:
            # The convolution is linear and without bias: its guidance half is the same for every class.
            of_guidance = self.conv1.weight[:, self.up.out_channels :]
            y = y + F.conv2d(guidance, of_guidance, padding=1)[:, None]
        y = F.relu(self.norm1(y.flatten(0, 1)))
        y = F.relu(self.norm2(self.conv2(y)))
        return y.unflatten(0, batch)

    def _upsampled(self, x: Tensor) -> Tensor:
        """The half of the first convolution that sees ``x``, (N, out_channels, 2 * grid, 2 * grid)."""
        if self.folded is not None:
            kernel, offset = self.folded
            return enlarged(x, kernel, stride=2) + offset
        return F.conv2d(self.up(x), self._kernel_of_x(), padding=1)

    def _kernel_of_x(self) -> Tensor:
        return self.conv1.weight[:, : self.up.out_channels]

    def _fold(self) -> tuple[Tensor, ...]:
        return folded_enlargement(self.up, self._kernel_of_x(), None, grid=self.grid)

    def _fold_sources(self) -> Iterable[Tensor]:
        return (*self.up.parameters(), self.conv1.weight)


def enlarged(x: Tensor, kernel: Tensor, *, stride: int) -> Tensor:
    """Enlarge maps (N, C, h, w) by ``stride`` with a folded kernel; its offset map is still to be added."""
    return F.conv_transpose2d(x, kernel, stride=stride, padding=1)


def folded_enlargement(
    up: nn.ConvTranspose2d, weight: Tensor, bias: Tensor | None, *, grid: int
) -> tuple[Tensor, Tensor]:
    """Fold a transposed convolution with kernel = stride = s, and the 3x3 convolution behind it.

    Args:
        up: the transposed convolution, C channels to D.
        weight: (O, D, 3, 3), the kernel of the convolution, padding 1.
        bias: (O,) of the convolution, or None.
        grid: side of the maps that come in.

    Returns:
        The kernel (C, O, s + 2, s + 2) for :func:`enlarged`, and the offset map (O, s * grid, s * grid).
    """
    # The kernels of the transposed convolution are small images here, one for each channel that comes in.
    kernel = F.conv2d(up.weight, weight, padding=2)
    side = up.stride[0] * grid
    constant = up.bias[:, None, None].expand(-1, side, side)
    offset = F.conv2d(constant[None], weight, bias, padding=1)[0]
    return kernel.contiguous(), offset.contiguous()
