"""ConvNeXt (Liu et al., CVPR 2022) as CLIP's image tower, read densely (``open_clip/timm_model.py``).

Its block serves the decoder as well, there with a larger kernel.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.sed.config import SEDConfig
from ovrisisbench.adapters.sed.layouts import as_maps, as_rows, channels_last, pieces, plain_inference

__all__ = ["ConvNeXt", "ConvNeXtBlock", "DenseConvNeXt", "DenseFeatures"]

_EPS = 1e-6

_ROWS_AT_ONCE = 1152
"""Rows that go through an MLP together on a CPU: what lies between its layers then stays in its cache."""


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, then norm and MLP at every position, scaled and added to what came in.

    Args:
        channels: channels C.
        kernel: side of the depthwise kernel, odd.
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPS)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Run the block over maps (N, C, h, w); what goes out has its channels last in memory."""
        rows, y = as_rows(x), self.norm(as_rows(self.conv_dw(x)))
        # A packed linear layer brings its own product, see ovrisisbench.adapters.inference.packed_linears.
        plain = type(self.fc1) is nn.Linear
        rows = self._in_buffers(rows, y) if plain and plain_inference(x) else self._in_pieces(rows, y)
        return as_maps(rows, x)

    def _in_pieces(self, rows: Tensor, y: Tensor) -> Tensor:
        return torch.cat(
            [
                part + self.fc2(F.gelu(self.fc1(z))) * self.gamma
                for part, z in zip(pieces(rows, _ROWS_AT_ONCE), pieces(y, _ROWS_AT_ONCE), strict=True)
            ]
        )

    def _in_buffers(self, rows: Tensor, y: Tensor) -> Tensor:
        """The same numbers, every piece in the memory of the one before."""
        out, parts = torch.empty_like(rows), pieces(y, _ROWS_AT_ONCE)
        wide = y.new_empty(len(parts[0]), self.fc1.out_features)
        narrow = y.new_empty(len(parts[0]), self.fc2.out_features)
        for part, z, result in zip(pieces(rows, _ROWS_AT_ONCE), parts, pieces(out, _ROWS_AT_ONCE), strict=True):
            hidden, mixed = wide[: len(z)], narrow[: len(z)]
            # A product and a sum are quicker here than both in one operator, which copies the bias to every row first.
            torch.mm(z, self.fc1.weight.t(), out=hidden).add_(self.fc1.bias)
            torch.ops.aten.gelu_(hidden)
            torch.mm(hidden, self.fc2.weight.t(), out=mixed).add_(self.fc2.bias)
            torch.addcmul(part, mixed, self.gamma, out=result)
        return out


class _MapNorm(nn.LayerNorm):
    """Layer norm over the channels of (N, C, h, w) maps."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        return as_maps(super().forward(as_rows(x)), x)


class _Stage(nn.Module):
    def __init__(self, in_channels: int, channels: int, depth: int) -> None:
        super().__init__()
        if in_channels != channels:
            self.downsample: nn.Module = nn.Sequential(
                _MapNorm(in_channels), nn.Conv2d(in_channels, channels, 2, stride=2)
            )
        else:
            self.downsample = nn.Identity()
        self.blocks = nn.Sequential(*(ConvNeXtBlock(channels, 7) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        x = channels_last(self.downsample(x))
        out: Tensor = self.blocks(x)
        return out


class ConvNeXt(nn.Module):
    """The trunk: stem, four stages, and the norm of its head; names as in timm.

    Args:
        depths: blocks of each stage.
        dims: channels of each stage, each twice those of the one before.
    """

    def __init__(self, depths: tuple[int, ...], dims: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, dims[0], 4, stride=4), _MapNorm(dims[0]))
        self.stages = nn.ModuleList(
            _Stage(before, channels, depth)
            for before, channels, depth in zip((dims[0], *dims), dims, depths, strict=False)
        )
        self.norm = nn.LayerNorm(dims[-1], eps=_EPS)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps (B, C, H / s, W / s), s = 4, 8, 16, 32, of the stages for images (B, 3, H, W)."""
        x = self.stem(channels_last(images))
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return tuple(maps)


class DenseFeatures(NamedTuple):
    """What the image tower gives."""

    dense: Tensor
    """(B, D, h, w): the feature of every position in CLIP's joint space, not normalised."""
    maps: tuple[Tensor, ...]
    """The outputs of the stages, ``res2`` to ``res5``, finest first."""


class DenseConvNeXt(nn.Module):
    """The image tower: every position of the last stage goes through CLIP's head by itself.

    CLIP averages the positions before its head; over a single position that does nothing.

    Args:
        config: sizes.
    """

    def __init__(self, config: SEDConfig) -> None:
        super().__init__()
        width, embedding = config.dims[-1], config.text.embedding
        self.trunk = ConvNeXt(config.depths, config.dims)
        if config.mlp_head:
            mlp = OrderedDict(fc1=nn.Linear(width, width), act=nn.GELU(), fc2=nn.Linear(width, embedding, bias=False))
            self.head = nn.Sequential(OrderedDict(mlp=nn.Sequential(mlp)))
        else:
            self.head = nn.Sequential(OrderedDict(proj=nn.Linear(width, embedding, bias=False)))

    def forward(self, images: Tensor) -> DenseFeatures:
        """Encode normalised images (B, 3, H, W), sides multiples of 32."""
        maps = self.trunk(images)
        return DenseFeatures(as_maps(self.head(self.trunk.norm(as_rows(maps[-1]))), maps[-1]), maps)
