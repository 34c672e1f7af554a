"""The second half of a decoder stage: double the size, join the guidance, convolve twice (``up`` and ``conv``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.upsampling import enlarged, folded_enlargement
from ovrisisbench.adapters.inference.folding import Foldable
from ovrisisbench.adapters.sed.layouts import pieces, plain_inference

__all__ = ["AccurateGroupNorm", "GuidedUpsampling"]

_CLASSES_AT_ONCE = 4
"""Classes that are enlarged together on a CPU: the maps between the layers then stay in its cache, and few of the
largest maps exist at a time, however many classes there are."""

_GROUP = 16
"""Channels of one group of the group norms."""


class AccurateGroupNorm(nn.GroupNorm):
    """Group norm whose rounding does not grow on a CPU when the channels are last in memory.

    torch sums such maps number by number there, and differs by 1e-5 to 1e-3
    from the exact result. Here sums are added up in pairs, as torch does it
    for the other layout, and combined in float64.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise maps (N, C, h, w)."""
        if x.device.type != "cpu" or not plain_inference(x):
            return super().forward(x)
        places = x.permute(0, 2, 3, 1)
        count = x.shape[2] * x.shape[3] * (self.num_channels // self.num_groups)
        mean, square = (
            sums.sum(2).sum(1).double().unflatten(1, (self.num_groups, -1)).sum(-1, keepdim=True) / count
            for sums in (places, places * places)
        )
        scale = (square - mean * mean + self.eps).rsqrt() * self.weight.unflatten(0, (self.num_groups, -1))
        shift = self.bias.unflatten(0, (self.num_groups, -1)) - mean * scale  # (N, groups, C / groups)
        scale, shift = (values.flatten(1).to(x.dtype)[..., None, None] for values in (scale, shift))
        return torch.addcmul(shift, x, scale)


class GuidedUpsampling(Foldable):
    """Transposed convolution, concatenation with both kinds of guidance, and two convolutions.

    Args:
        in_channels: channels of the maps that come in.
        guidance: channels G of the image's guidance, and of the cost volume's.
        out_channels: channels that go out.
        grid: side of the maps that come in, in cells.
    """

    def __init__(self, in_channels: int, guidance: int, out_channels: int, *, grid: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels - guidance, 2, stride=2)
        self.conv1 = nn.Conv2d(in_channels + guidance, out_channels, 3, padding=1, bias=False)
        self.norm1 = AccurateGroupNorm(out_channels // _GROUP, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = AccurateGroupNorm(out_channels // _GROUP, out_channels)
        self.guidance, self.grid = guidance, grid

    def forward(self, x: Tensor, image: Tensor, cost: Tensor, then: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Enlarge the maps of every class.

        Args:
            x: (B, K, C, grid, grid).
            image: (B, G, 2 * grid, 2 * grid), the guidance of the image, the same for every class.
            cost: (B, K, G, 2 * grid, 2 * grid), the guidance of the cost volume.
            then: what is to become of the result (N, out_channels, 2 * grid, 2 * grid) of N classes at a time.

        Returns:
            (B, K, out_channels, 2 * grid, 2 * grid), or what ``then`` makes of it.
        """
        shared = self._of_image(image)
        parts = []
        for maps, guidance in zip(pieces(x, _CLASSES_AT_ONCE, 1), pieces(cost, _CLASSES_AT_ONCE, 1), strict=True):
            y = self._of_class(maps.flatten(0, 1), guidance.flatten(0, 1))
            y.unflatten(0, maps.shape[:2]).add_(shared[:, None])
            y = F.relu_(self.norm1(y))
            y = F.relu_(self.norm2(self.conv2(y)))
            parts.append((then(y) if then else y).unflatten(0, maps.shape[:2]))
        return torch.cat(parts, dim=1)

    def _of_image(self, image: Tensor) -> Tensor:
        """What the first convolution makes of all that does not depend on the class, (B, out_channels, ...)."""
        _, kernel, _ = self._kernels()
        shared = F.conv2d(image, kernel, padding=1)
        return shared if self.folded is None else shared + self.folded[1]

    def _of_class(self, x: Tensor, cost: Tensor) -> Tensor:
        """What the first convolution makes of the rest, (N, out_channels, ...) for N classes."""
        of_x, _, of_cost = self._kernels()
        if self.folded is None:
            return F.conv2d(torch.cat([self.up(x), cost], dim=1), torch.cat([of_x, of_cost], dim=1), padding=1)
        return enlarged(x, self.folded[0], stride=2).add_(F.conv2d(cost, of_cost, padding=1))

    def _kernels(self) -> tuple[Tensor, ...]:
        """The first kernel's shares: of the enlarged maps, of the image's guidance, and of the cost volume's."""
        return self.conv1.weight.split([self.up.out_channels, self.guidance, self.guidance], dim=1)

    def _fold(self) -> tuple[Tensor, ...]:
        return folded_enlargement(self.up, self._kernels()[0], None, grid=self.grid)

    def _fold_sources(self) -> Iterable[Tensor]:
        return (*self.up.parameters(), self.conv1.weight)
