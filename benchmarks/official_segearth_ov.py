"""SegEarth-OV computed the long way: the work that the official code does for one image, step by step.

For comparing speed. It runs on the parameters of our network and gives the
same scores, but does everything that the official code does and ours does not:
one window after the other, the last block a second time for nothing, all 512
channels at every size up to 224 x 224, one pass over them for each of the 121
taps, the last 1x1 convolution at full size, resizes that change nothing, and
every window padded to the whole map before it is added. Two things are kinder
than the official code: products of a range kernel are not unfolded into one
tensor of 0.8 GB, and its CUDA kernel is a loop without temporaries.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.images.pixels import as_pixels, normalised
from ovrisisbench.adapters.segearth_ov.adapter import SegEarthOVAdapter
from ovrisisbench.adapters.segearth_ov.classes import class_scores
from ovrisisbench.adapters.segearth_ov.config import CLS_TOKEN_LAMBDA
from ovrisisbench.adapters.segearth_ov.upsampler import JBULearnedRange
from ovrisisbench.adapters.segearth_ov.windows import resized, window_starts

__all__ = ["OfficialSegEarthOV"]

_MEAN = (122.771, 116.746, 104.094)
_STD = (68.501, 66.632, 70.323)


class OfficialSegEarthOV:
    """The published setting.

    Args:
        adapter: whose parameters and vocabulary to use; not changed.
    """

    def __init__(self, adapter: SegEarthOVAdapter) -> None:
        self.adapter = adapter
        self.network = adapter.network
        # The official code runs the last block in its ordinary form too; weights of what nobody reads do not matter.
        ordinary = CLIPImageTower(self.network.config.clip, blocks=1).blocks[0].eval().requires_grad_(False)
        last = self.network.clip.blocks[-1]
        ordinary.ln_1, ordinary.attn = last.ln_1, last.attn
        self.ordinary = ordinary

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the scores of one image (H, W, 3) uint8 as the adapter's ``score`` does."""
        config, queries = self.network.config, self.adapter.queries
        pixels = as_pixels(resized(image, config.long_side), queries.vectors.device)
        pixels = normalised(pixels, _MEAN, _STD)
        height, width = pixels.shape[2:]
        total = pixels.new_zeros(1, len(queries.vectors), height, width)
        count = pixels.new_zeros(1, 1, height, width)
        for top in window_starts(height, config.window, config.stride):
            for left in window_starts(width, config.window, config.stride):
                window = pixels[:, :, top : top + config.window, left : left + config.window]
                logits = self._window(window, queries.vectors)
                bottom, right = top + logits.shape[2], left + logits.shape[3]
                total += F.pad(logits, (left, width - right, top, height - bottom))
                count[:, :, top:bottom, left:right] += 1
        return class_scores((total / count)[0], queries.classes, image.shape[:2], None)

    def _window(self, window: Tensor, text: Tensor) -> Tensor:
        patch = self.network.config.clip.patch
        missing = [-side % patch for side in window.shape[2:]]
        above, before = (side // 2 for side in missing)
        padded = F.pad(window, (before, missing[1] - before, above, missing[0] - above))
        cls, features = self._features(padded)
        features = self._upsampled(features, padded)
        pixels = features[0].flatten(1).T
        pixels = pixels / pixels.norm(dim=-1, keepdim=True)
        logits = pixels @ text.T + CLS_TOKEN_LAMBDA * (F.normalize(cls, dim=-1) @ text.T)
        logits = logits.T.unflatten(1, padded.shape[2:])[None]
        logits = F.interpolate(logits, size=padded.shape[2:], mode="bilinear")
        return logits[:, :, above : above + window.shape[2], before : before + window.shape[3]]

    def _features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The class token (1, C) and the patches (1, C, h, w) of a window, in the joint space."""
        tower = self.network.clip
        x = tower.tokens(images)
        *blocks, last = tower.blocks
        for block in blocks:
            x = block(x)
        self.ordinary(x)
        x = tower.projected(_three_maps(last, x))
        grid = [side // tower.conv1.kernel_size[0] for side in images.shape[2:]]
        return x[:, 0], x[:, 1:].transpose(1, 2).unflatten(2, grid)

    def _upsampled(self, features: Tensor, window: Tensor) -> Tensor:
        upsampler = self.network.upsampler
        for _ in range(upsampler.steps):
            size = [2 * side for side in features.shape[2:]]
            features = _doubled(upsampler.up, features, F.adaptive_avg_pool2d(window, size))
        return 0.1 * upsampler.fixup_proj(features) + features


def _three_maps(last: nn.Module, x: Tensor) -> Tensor:
    qkv = last.attn.qkv(last.ln_1(x)).unflatten(-1, (3, last.attn.heads, -1)).permute(2, 0, 3, 1, 4)
    scale = qkv.shape[-1] ** -0.5
    weights = sum((part @ part.transpose(-2, -1) * scale).softmax(dim=-1) for part in qkv)
    return last.attn.out_proj((weights @ qkv[2]).transpose(1, 2).flatten(2))


def _doubled(up: JBULearnedRange, features: Tensor, guidance: Tensor) -> Tensor:
    radius, side = up.radius, 2 * up.radius + 1
    height, width = guidance.shape[2:]
    keys = up.range_proj(guidance)
    around = F.pad(keys, (radius,) * 4, mode="reflect")
    offsets = [(row, column) for row in range(side) for column in range(side)]
    products = torch.stack(
        [(keys * around[:, :, row : row + height, column : column + width]).sum(1) for row, column in offsets], dim=1
    )
    kernel = (products * up.range_temp.exp().clamp(1e-4, 1e4)).softmax(dim=1)
    line = torch.linspace(-1, 1, side)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    spatial = torch.exp(-(rows**2 + columns**2) / (2 * up.sigma_spatial**2))
    kernel = kernel * spatial.reshape(1, -1, 1, 1)
    kernel = kernel / kernel.sum(1, keepdim=True).clamp(1e-7)
    kernel = kernel + 0.1 * up.fixup_proj(torch.cat([kernel, guidance], dim=1))
    large = F.interpolate(features, size=(height, width), mode="bicubic")
    large = F.pad(large, (radius,) * 4, mode="reflect")
    out = torch.zeros_like(large[:, :, :height, :width])
    for tap, (row, column) in enumerate(offsets):
        out.addcmul_(kernel[:, tap : tap + 1], large[:, :, row : row + height, column : column + width])
    return out
