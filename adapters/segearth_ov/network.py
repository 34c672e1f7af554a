"""SegEarth-OV's network: CLIP's two towers and the up-sampler, from a window to cosines with every query."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.segearth_ov.config import CLS_TOKEN_LAMBDA, SegEarthOVConfig
from ovrisisbench.adapters.segearth_ov.image_tower import SelfSelfImageTower
from ovrisisbench.adapters.segearth_ov.upsampler import JBUOne

__all__ = ["SegEarthOV"]

_LEAST_NORM = 1e-12
"""As in torch's ``normalize``."""


class SegEarthOV(nn.Module):
    """``segearth_segmentor.py`` with its default configuration, for one window after the other.

    Args:
        config: sizes.
    """

    def __init__(self, config: SegEarthOVConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = SelfSelfImageTower(config.clip)
        self.text = CLIPTextTower(config.clip.text)
        self.upsampler = JBUOne(config)

    def tokens(self, windows: Tensor) -> Tensor:
        """Encode normalised windows (B, 3, H, W), sides multiples of a patch; return (B, 1 + h * w, C), class first."""
        return self.clip(windows)

    def cosines(self, tokens: Tensor, window: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """Compare every pixel of a window with every query.

        Args:
            tokens: (1 + h * w, C) of the window.
            window: its normalised pixels (3, H, W).
            text: unit-norm queries (N, C).
            trace: sees what happens inside.

        Returns:
            (H, W, N): the cosine with the pixel's feature, less a share of the cosine with the class token's.
        """
        patch = self.config.clip.patch
        grid = (window.shape[1] // patch, window.shape[2] // patch)
        cells, offset = self.upsampler.fixed_up(tokens[1:])
        space = _own_space(cells, offset)
        own_text = space.coordinates(text)
        of_cls = CLS_TOKEN_LAMBDA * (text @ F.normalize(tokens[0].float(), dim=-1))
        seen: list[Tensor] = []

        def read(features: Tensor) -> Tensor:
            features = features.float() + space.offset
            if trace:
                seen.append(space.channels(F.normalize(features, dim=-1)))
            norms = torch.linalg.vector_norm(features, dim=-1, keepdim=True).clamp(min=_LEAST_NORM)
            return features @ own_text.T / norms + of_cls

        cosines = self.upsampler(space.cells.unflatten(0, grid), window, read=read, trace=trace)
        if trace:
            trace("features", torch.cat(seen).permute(2, 0, 1)[None])
            trace("window_cosines", cosines.permute(2, 0, 1)[None])
        return cosines


class _Space(NamedTuple):
    """Features by their coordinates along orthonormal axes."""

    cells: Tensor
    offset: Tensor
    axes: Tensor | None
    """(C, coordinates) float64; None where the channels themselves are the coordinates."""

    def coordinates(self, vectors: Tensor) -> Tensor:
        """Coordinates of (..., C); what stands across all axes has no part in any product with a feature."""
        return vectors if self.axes is None else (vectors.double() @ self.axes).to(vectors.dtype)

    def channels(self, coordinates: Tensor) -> Tensor:
        """The other way round."""
        return coordinates if self.axes is None else (coordinates.double() @ self.axes.T).to(coordinates.dtype)


def _own_space(cells: Tensor, offset: Tensor) -> _Space:
    """Return axes of the space in which everything lies that can be made of a window's features.

    A window has fewer features than they have channels, and the up-sampler
    only mixes them. Lengths and products are the same in any orthonormal basis,
    so fewer coordinates than channels do. With gradients nothing is changed.

    Args:
        cells: (n, C).
        offset: (C,), added to every mixture.
    """
    vectors = torch.cat([cells, offset[None]]).double()
    if len(vectors) >= vectors.shape[1] or torch.is_grad_enabled():
        return _Space(cells.float(), offset, None)
    axes, coordinates = torch.linalg.qr(vectors.T)
    coordinates = coordinates.T.float()
    return _Space(coordinates[:-1], coordinates[-1], axes)
