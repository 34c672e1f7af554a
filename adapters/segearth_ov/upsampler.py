"""The up-sampler ``jbu_one``: features sixteen times as fine, guided by the pixels of the image.

``simfeatup_dev/upsamplers.py`` of the official code, after FeatUp's joint
bilateral up-sampling. Four doublings with the same weights; each makes a kernel
of 11 x 11 taps for every pixel from the image alone, and applies it to the
features, enlarged bicubically.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.segearth_ov.config import SegEarthOVConfig
from ovrisisbench.adapters.segearth_ov.doubling import Doubling, reflected

__all__ = ["JBULearnedRange", "JBUOne", "Read"]

Read = Callable[[Tensor], Tensor]
"""What is made of enlarged features (rows, columns, C) at once, pixel by pixel: (rows, columns, any)."""

_SHARE = 0.1
"""How much both ``fixup_proj`` add."""
_LEAST_SUM = 1e-7
_LEAST_TEMPERATURE, _LARGEST_TEMPERATURE = 1e-4, 1e4


class JBULearnedRange(nn.Module):
    """One doubling.

    Args:
        config: radius and channels of the kernels.
    """

    def __init__(self, config: SegEarthOVConfig) -> None:
        super().__init__()
        self.radius = config.radius
        self.range_temp = nn.Parameter(torch.tensor(0.0))
        self.sigma_spatial = nn.Parameter(torch.tensor(1.0))
        self.range_proj = _projection(3, config.key)
        self.fixup_proj = _projection(config.taps + 3, config.taps)

    def forward(
        self, cells: Tensor, guidance: Tensor, *, read: Read | None = None, trace: Trace | None = None
    ) -> Tensor:
        """Double a map.

        Args:
            cells: (h, w, C).
            guidance: normalised pixels (2h, 2w, 3).
            read: what to make of the doubled map, which then never exists as a whole.
            trace: sees ``range_kernel``, (1, taps ** 2, 2h, 2w).

        Returns:
            (2h, 2w, C), or what ``read`` makes of it.
        """
        rows, columns, _ = cells.shape
        doubling = Doubling(rows, columns, self.radius, cells.device)
        keys = _pointwise(self.range_proj, guidance)
        keys = keys.index_select(0, self._places(2 * rows)).index_select(1, self._places(2 * columns))
        cells = F.pad(cells, (0, 0, *(doubling.reach,) * 4))
        spatial = self._spatial_kernel()
        parts, ranges = [], []
        for strip in doubling.strips():
            kernels = self._range_kernels(doubling, keys, strip)
            if trace:
                ranges.append(doubling.together(kernels.flatten(2, 3)))
            kernels = kernels * spatial
            kernels = kernels / kernels.sum(-1, keepdim=True).clamp(min=_LEAST_SUM)
            pixels = doubling.around(guidance, strip, halo=0, side=doubling.side)
            joint = torch.cat([kernels, pixels.view(*kernels.shape[:-1], 3)], dim=-1)
            kernels = torch.add(kernels, _pointwise(self.fixup_proj, joint), alpha=_SHARE)
            around = doubling.around(cells, strip, halo=doubling.reach, side=doubling.tile)
            matrices = doubling.on_cells(kernels, strip)
            tiles = torch.matmul(matrices, around)  # (down, across, side ** 2, C)
            part = doubling.together(tiles)
            parts.append(read(part) if read else part)
        if trace:
            trace("range_kernel", torch.cat(ranges).permute(2, 0, 1)[None])
        return torch.cat(parts)

    def _range_kernels(self, doubling: Doubling, keys: Tensor, strip: range) -> Tensor:
        """How alike a pixel and its neighbours are, (down, across, side, side, taps ** 2), rows sum to one."""
        around = doubling.around(keys, strip, halo=self.radius, side=doubling.side)
        inner = keys[self.radius : -self.radius, self.radius : -self.radius]
        own = doubling.around(inner, strip, halo=0, side=doubling.side)
        products = torch.matmul(own, around.transpose(-2, -1))
        temperature = self.range_temp.exp().clamp(_LEAST_TEMPERATURE, _LARGEST_TEMPERATURE)
        return (doubling.band(products).flatten(-2) * temperature).softmax(-1)

    def _places(self, size: int) -> Tensor:
        """Which pixels a padded row is made of."""
        return torch.from_numpy(reflected(size, self.radius)).to(self.range_temp.device)

    def _spatial_kernel(self) -> Tensor:
        """A bell over the taps, (taps ** 2,)."""
        line = torch.linspace(-1, 1, 2 * self.radius + 1, device=self.sigma_spatial.device)
        squared = line[:, None] ** 2 + line**2
        return torch.exp(-squared / (2 * self.sigma_spatial**2)).flatten()


class JBUOne(nn.Module):
    """The up-sampler.

    Args:
        config: channels, steps and kernels.
    """

    def __init__(self, config: SegEarthOVConfig) -> None:
        super().__init__()
        self.steps = config.steps
        self.up = JBULearnedRange(config)
        channels = config.clip.embedding
        self.fixup_proj = nn.Sequential(nn.Identity(), nn.Conv2d(channels, channels, 1))  # a dropout before it

    def forward(self, cells: Tensor, window: Tensor, *, read: Read | None = None, trace: Trace | None = None) -> Tensor:
        """Enlarge a map to the size of its window, without the last 1x1 convolution (see :meth:`fixed_up`).

        Every step acts on each channel alone and in the same way, so the map
        may be given in any basis.

        Args:
            cells: (h, w, C).
            window: normalised pixels (3, 2 ** steps * h, 2 ** steps * w).
            read: what to make of the result; see :meth:`JBULearnedRange.forward`.
            trace: sees ``range_kernel_{step}``, and ``up_{step}`` (1, C, rows, columns) of all steps that are not read.

        Returns:
            (rows, columns, C) at the size of the window, or what ``read`` makes of it.
        """
        for step in range(self.steps):
            last = step == self.steps - 1
            size = (2 * cells.shape[0], 2 * cells.shape[1])
            guidance = F.adaptive_avg_pool2d(window[None], size)[0].permute(1, 2, 0).contiguous()
            named = _renaming(trace, step) if trace else None
            cells = self.up(cells, guidance, read=read if last else None, trace=named)
            if trace and not (last and read):
                trace(f"up_{step}", cells.permute(2, 0, 1)[None])
        return cells

    def fixed_up(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Take the last 1x1 convolution before the steps, which is the same up to what it adds everywhere.

        Args:
            cells: (..., C).

        Returns:
            (..., C) to be enlarged, and (C,) to be added to the result at every pixel.
        """
        convolution = self.fixup_proj[1]
        fixed = F.linear(cells, convolution.weight.flatten(1))
        return torch.add(cells, fixed, alpha=_SHARE), _SHARE * convolution.bias


def _projection(channels: int, out: int) -> nn.Sequential:
    # At 2 stands a dropout, which only training switches on.
    return nn.Sequential(nn.Conv2d(channels, out, 1), nn.GELU(), nn.Identity(), nn.Conv2d(out, out, 1))


def _pointwise(projection: nn.Sequential, x: Tensor) -> Tensor:
    """Apply 1x1 convolutions to (..., C)."""
    first, second = projection[0], projection[3]
    x = F.gelu(F.linear(x, first.weight.flatten(1), first.bias))
    return F.linear(x, second.weight.flatten(1), second.bias)


def _renaming(trace: Trace, step: int) -> Trace:
    return lambda name, tensor: trace(f"{name}_{step}", tensor)
