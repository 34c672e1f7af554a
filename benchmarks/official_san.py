"""SAN computed the long way: the work that the official code does for one image, step by step.

For comparing speed. It runs on the parameters of our network and gives the
same scores, but does everything that the official code does and ours does not:
the tokens of the proposals in one sequence with the patches to the end, under
a dense mask for every head; attention maps written out in the side network; a
bias channel for every head and pixel; every mask resized twice at full size;
position tables resized at every pass.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.positions import Grid, resized_positions
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import as_pixels, normalised, padded
from ovrisisbench.adapters.san.adapter import SANAdapter
from ovrisisbench.adapters.san.mask_decoder import MLP

__all__ = ["OfficialSAN"]

_MASKED = -100.0


class OfficialSAN:
    """The released setting.

    Args:
        adapter: the adapter whose parameters and vocabulary to use; not changed.
    """

    def __init__(self, adapter: SANAdapter) -> None:
        self.network = adapter.network
        self.classifier = adapter.classifier * self.network.logit_scale.exp()

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the scores (K, H, W) of an image (H, W, 3) at its own size."""
        resized = mapped(image)
        pixels = padded(normalised(as_pixels(resized, self.classifier.device)))
        small = F.interpolate(pixels, scale_factor=self.network.config.resolution, mode="bilinear", align_corners=False)
        features = self._front(small)
        masks, bias = self._side(pixels, features)
        class_logits = self._back(features, bias)
        masks = F.interpolate(masks, size=pixels.shape[-2:], mode="bilinear", align_corners=False)
        masks = masks[:, :, : resized.shape[0], : resized.shape[1]]
        masks = F.interpolate(masks, size=image.shape[:2], mode="bilinear", align_corners=False)
        chances = class_logits.softmax(dim=-1)[..., :-1]
        return torch.einsum("bqk,bqhw->bkhw", chances, masks.sigmoid())[0]

    def _front(self, images: Tensor) -> dict[int | str, Tensor]:
        """Features and class token of every block of the first part, sequence first."""
        clip = self.network.clip
        patches = clip.conv1(images)
        grid = (patches.shape[2], patches.shape[3])
        x = torch.cat([clip.class_embedding.expand(len(patches), 1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
        x = clip.ln_pre(x + resized_positions(clip.positional_embedding, grid)).transpose(0, 1)  # (1 + N, B, D)
        kept: dict[int | str, Tensor] = {}
        for number in range(clip.front + 1):
            if number:
                x = _clip_block(clip.blocks[number - 1], x)
            kept[number] = x[1:].permute(1, 2, 0).reshape(*patches.shape)
            kept["class"] = x[:1]
        return kept

    def _side(self, images: Tensor, features: dict[int | str, Tensor]) -> tuple[Tensor, Tensor]:
        side, config = self.network.side, self.network.config
        tokens, grid = side.vit_model.patches(images)
        queries = side.query_embed.shape[1]
        positions = torch.cat([side.query_pos_embed, side.vit_model.positions(grid)], dim=1)
        x = torch.cat([side.query_embed, tokens], dim=1) + positions
        x = _fused(x, side.fusion_layers["layer_0"], features[config.taps[0]], grid)
        collected = []
        for number, block in enumerate(side.vit_model.blocks, start=1):
            x = x + _explicit_attention(block.attn, block.norm1(x))
            x = x + block.mlp(block.norm2(x))
            if number < len(config.taps):
                x = _fused(x, side.fusion_layers[f"layer_{number}"], features[config.taps[number]], grid)
            pixels = x[:, queries:].transpose(1, 2).unflatten(2, grid)
            collected.append((x[:, :queries], pixels))
            if number < len(side.vit_model.blocks):
                x = x + positions
        return self._decoded(*collected[-1])

    def _decoded(self, queries: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
        decoder = self.network.side.mask_decoder
        q = decoder.query_mlp(queries)
        masks = torch.einsum("bqc,bchw->bqhw", q, _convolved(decoder.pix_mlp, pixels))
        attended = _convolved(decoder.attn_mlp, pixels).unflatten(1, (decoder.heads, q.shape[-1]))
        bias = torch.einsum("bqc,bnchw->bnqhw", q, attended)
        return masks, decoder.bias_scaling(bias[..., None])[..., 0]

    def _back(self, features: dict[int | str, Tensor], bias: Tensor) -> Tensor:
        clip = self.network.clip
        patches = features[clip.front]
        pooled = F.adaptive_max_pool2d(bias.flatten(0, 1), patches.shape[-2:]).flatten(2)  # (heads, Q, N)
        heads, queries, count = pooled.shape
        mask = pooled.new_zeros(queries + 1 + count, queries + 1 + count)
        mask[:, :queries] = _MASKED
        mask[:queries, queries] = _MASKED
        own = torch.arange(queries)
        mask[own, own] = 0
        mask = mask.expand(heads, -1, -1).clone()
        mask[:, :queries, queries + 1 :] = pooled
        of_class = features["class"]
        x = torch.cat([of_class.repeat(queries, 1, 1), of_class, patches.flatten(2).permute(2, 0, 1)])
        for block in clip.blocks[clip.front :]:
            x = _clip_block(block, x, mask)
        embeddings = F.normalize(clip.ln_post(x[:queries].transpose(0, 1)) @ clip.proj, dim=-1)
        return torch.einsum("bqc,kc->bqk", embeddings, self.classifier)


def _clip_block(block: Block, x: Tensor, mask: Tensor | None = None) -> Tensor:
    """A block over tokens (L, B, D), attention as in ``nn.MultiheadAttention``."""
    attention, y = block.attn, block.ln_1(x)
    attended, _ = F.multi_head_attention_forward(
        y, y, y, y.shape[-1], attention.heads, attention.qkv.weight, attention.qkv.bias, None, None, False, 0.0,
        attention.out_proj.weight, attention.out_proj.bias, training=False, need_weights=False, attn_mask=mask,
    )  # fmt: skip
    x = x + attended
    hidden = block.mlp.c_fc(block.ln_2(x))
    return x + block.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))


def _explicit_attention(attention: nn.Module, y: Tensor) -> Tensor:
    q, k, v = attention.qkv(y).unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    weights = ((q @ k.transpose(-2, -1)) * attention.scale).softmax(dim=-1)
    return attention.proj((weights @ v).transpose(1, 2).flatten(2))


def _fused(x: Tensor, layer: nn.Module, features: Tensor, grid: Grid) -> Tensor:
    """Normalise over channels, convolve, enlarge, and add to the pixels."""
    norm, project = layer.input_proj
    centred = features - features.mean(1, keepdim=True)
    scaled = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + norm.eps)
    normed = norm.weight[:, None, None] * scaled + norm.bias[:, None, None]
    enlarged = F.interpolate(
        F.conv2d(normed, project.weight, project.bias), size=grid, mode="bilinear", align_corners=False
    )
    added = enlarged.flatten(2).transpose(1, 2)
    queries = x.shape[1] - added.shape[1]
    return torch.cat([x[:, :queries], x[:, queries:] + added], dim=1)


def _convolved(mlp: MLP, x: Tensor) -> Tensor:
    *layers, last = mlp.layers
    for layer in layers:
        x = F.relu(F.conv2d(x, layer.weight, layer.bias))
    return F.conv2d(x, last.weight, last.bias)
