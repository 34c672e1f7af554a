"""SED computed the long way: the work that the official code does for one image, step by step.

For comparing speed. It runs on the parameters of our network and gives the
same scores, but does everything that the official code does and ours does not:
auxiliary heads whose output nobody reads, a second normalised copy of the
image, copies of the encoder's maps, text that is normalised again, guidance
repeated for every class and convolved each time, pooling and resizing by a
factor of 1, class attention in a layout of its own.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import IMAGENET_MEAN, IMAGENET_STD, as_pixels, normalised, squeezed
from ovrisisbench.adapters.sed.adapter import SEDAdapter
from ovrisisbench.adapters.sed.class_attention import ClassAttention
from ovrisisbench.adapters.sed.convnext import ConvNeXtBlock
from ovrisisbench.adapters.sed.upsampling import GuidedUpsampling

__all__ = ["OfficialSED"]

_OLD_SIDE = 384
"""A resize of which the result is dropped, a relic of CAT-Seg."""


class OfficialSED:
    """SED at the pooling of the adapter, without early rejection.

    Args:
        adapter: the adapter whose parameters to use; not changed.
    """

    def __init__(self, adapter: SEDAdapter) -> None:
        self.adapter = adapter

    @torch.no_grad()
    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the scores (K, h, w) of one image (H, W, 3) uint8 RGB."""
        network, text = self.adapter.network, self.adapter.embeddings
        pixels = as_pixels(mapped(image), text.device).contiguous()
        squeezed(normalised(pixels, IMAGENET_MEAN, IMAGENET_STD), _OLD_SIDE)
        maps = _trunk(network.visual.trunk, squeezed(normalised(pixels), network.config.side))
        kept = [map_.clone() for map_ in maps]
        dense = _dense(network.visual, maps[-1])
        features, words = F.normalize(dense, dim=1), F.normalize(text[None], dim=-1)
        cost = torch.einsum("bdhw,bktd->btkhw", features, words)
        return _decoded(network.decoder, cost[0].transpose(0, 1), kept)[:, 0].sigmoid()


def _trunk(trunk: nn.Module, x: Tensor) -> list[Tensor]:
    """All of timm's ConvNeXt up to its head, maps of the stem and the stages."""
    maps = [_normalised_maps(trunk.stem[1], trunk.stem[0](x))]
    for stage in trunk.stages:
        x = maps[-1]
        if isinstance(stage.downsample, nn.Sequential):
            norm, convolution = stage.downsample
            x = convolution(_normalised_maps(norm, x))
        for block in stage.blocks:
            x = _block(block, x)
        maps.append(x)
    return maps


def _block(block: ConvNeXtBlock, x: Tensor) -> Tensor:
    y = block.conv_dw(x).permute(0, 2, 3, 1)
    y = block.fc2(F.gelu(block.fc1(block.norm(y)))).permute(0, 3, 1, 2)
    return y * block.gamma[:, None, None] + x


def _normalised_maps(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    y = F.layer_norm(x.permute(0, 2, 3, 1), norm.normalized_shape, norm.weight, norm.bias, norm.eps)
    return y.permute(0, 3, 1, 2)


def _dense(visual: nn.Module, last: Tensor) -> Tensor:
    """Every position as an image of its own: pooled, normalised, projected."""
    rows = last.flatten(2).transpose(1, 2).flatten(0, 1)[..., None, None]
    rows = visual.trunk.norm(F.adaptive_avg_pool2d(rows, 1).flatten(1))
    return visual.head(rows).T.unflatten(1, last.shape[-2:])[None]


def _decoded(decoder: nn.Module, cost: Tensor, maps: list[Tensor]) -> Tensor:
    """Logits (K, 1, 8 h, 8 w) of the cost volume (K, T, h, w)."""
    x = decoder.conv1(cost)
    of_image = [
        F.relu(projection(map_)) for projection, map_ in zip(decoder.image_projections, maps[3:0:-1], strict=True)
    ]
    of_cost = []
    for projection in decoder.cost_projections:
        cost = F.relu(projection(cost))
        of_cost.append(cost)
    heads = (decoder.head0, decoder.head1, decoder.head2)
    stages = (decoder.decoder1, decoder.decoder2, decoder.decoder3)
    for head, stage, image, costs in zip(heads, stages, of_image, of_cost, strict=True):
        head(x)
        x = _classes(stage.attention, _block(stage.cnext, x))
        x = _upsampled(stage.upsampling, x, image, costs)
    return decoder.head(x)


def _classes(part: ClassAttention, x: Tensor) -> Tensor:
    """Mix (K, C, h, w) over the classes."""
    pooled = F.avg_pool2d(x, part.pooling)
    p = pooled.flatten(2).permute(2, 0, 1).contiguous()  # (places, K, C)
    y = part.norm1(p)
    q, k, v = (layer(y).unflatten(-1, (part.heads, -1)) for layer in (part.q, part.k, part.v))
    q, k = F.elu(q) + 1, F.elu(k) + 1
    context = torch.einsum("pshd,pshv->phdv", k, v)
    total = 1 / (torch.einsum("plhd,phd->plh", q, k.sum(dim=1)) + 1e-6)
    out = torch.einsum("plhd,phdv,plh->plhv", q, context, total)
    p = p + out.contiguous().flatten(2)
    p = p + part.mlp(part.norm2(p))
    coarse = p.permute(1, 2, 0).reshape(pooled.shape)
    return x + F.interpolate(coarse, size=x.shape[-2:], mode="bilinear", align_corners=True)


def _upsampled(part: GuidedUpsampling, x: Tensor, image: Tensor, cost: Tensor) -> Tensor:
    y = torch.cat([part.up(x), image.repeat(len(x), 1, 1, 1), cost], dim=1)
    y = F.relu(_group_norm(part.norm1, part.conv1(y)), inplace=True)
    return F.relu(_group_norm(part.norm2, part.conv2(y)), inplace=True)


def _group_norm(norm: nn.GroupNorm, x: Tensor) -> Tensor:
    return F.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)
