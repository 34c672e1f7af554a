"""CAT-Seg, OVRIS and GSNet computed the long way: the work that the official codes do for one image, step by step.

For comparing speed. Everything runs on the parameters of our networks and
gives the same scores, but does what the official codes do and ours do not:
classes padded to 256 with queries, norms and MLPs of their own, guidance
repeated for every class and convolved each time, queries and keys of CLIP's
last block, position tables resized at every pass, copies at the end of every
block, one orientation after the other (OVRIS), attention maps that are built
and returned (GSNet).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from official_rskt import dino_outputs
from torch import Tensor

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.positions import resized_positions
from ovrisisbench.adapters.cost_aggregation.adapter import CostAggregationAdapter
from ovrisisbench.adapters.cost_aggregation.guided import GuidedLinear
from ovrisisbench.adapters.cost_aggregation.inference import whole_image_scores
from ovrisisbench.adapters.cost_aggregation.layer import AggregatorLayer
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps, as_tokens
from ovrisisbench.adapters.cost_aggregation.upsampling import UpsamplingStage

__all__ = ["OfficialFamilyModel"]

_PADDED_LENGTH = 256


class OfficialFamilyModel:
    """One model of the family, whole image, pooling 1.

    Args:
        adapter: the adapter whose parameters to use; not changed.
    """

    def __init__(self, adapter: CostAggregationAdapter) -> None:
        self.adapter, self.network = adapter, adapter.network
        self.has_dino = hasattr(self.network, "dino")
        self.orientations = getattr(self.network.config, "clip_maps", 1)

    @torch.no_grad()
    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the scores (K, 96, 96) of one image."""
        return whole_image_scores(image, self._logits, torch.device("cpu"))

    def _logits(self, images: Tensor) -> Tensor:
        network, text = self.network, F.normalize(self.adapter.embeddings, dim=-1)
        square = _resized(images, network.config.clip_input)
        dense, taps = [], []
        for turns in range(self.orientations):
            features, tapped = _clip(network.clip, square.rot90(turns, dims=(2, 3)), with_maps=self.has_dino)
            dense.append(as_maps(features[:, 1:]).rot90(-turns, dims=(2, 3)))
            taps.append(tapped)
        encoders = {"clip": [as_maps(tap[:, 1:]) for tap in taps[0]]}
        if self.has_dino:
            found = dino_outputs(network.dino, _resized(images, network.config.rsib_input))
            first, second, last = (as_maps(found[block][:, 1:]) for block in network.config.rsib.taps)
            encoders["dino"] = [first, second]
        features = torch.stack([F.normalize(maps, dim=1) for maps in dense], dim=1)  # (1, R, C, h, w)
        clip = torch.einsum("brchw,kc->bkrhw", features, text)[0]
        if self.has_dino:
            dino_map = F.normalize(network.dino_down_sample(last), dim=1)
            dino = torch.einsum("bchw,kc->bkhw", dino_map, text)[0][:, None]
            fusion = network.query_guided_fusion
            of_clip, of_dino = fusion.conv1(clip).sigmoid(), fusion.conv2(dino).sigmoid()
            x = fusion.fusion_corr(torch.cat([of_clip, of_dino], dim=1)).sigmoid() + of_clip
        else:
            x = network.conv1(clip)
        return self._decoded(self._aggregated(x, dense[0], text), encoders)

    def _aggregated(self, x: Tensor, image: Tensor, text: Tensor) -> Tensor:
        aggregator = self.network.aggregator
        guidance = F.relu(aggregator.image_projection(image))
        text = F.relu(aggregator.text_projection(text))
        for layer in aggregator.layers:
            x = _classes(layer, _space(layer, x, guidance), text)
        return x

    def _decoded(self, x: Tensor, encoders: dict[str, list[Tensor]]) -> Tensor:
        decoder = self.network.decoder
        adapted = {
            name: [branch.upsample(tap) for branch, tap in zip(branches, encoders[name], strict=True)]
            for name, branches in decoder.branches.items()
        }
        for index, stage in enumerate((decoder.decoder1, decoder.decoder2)):
            guidance = [
                F.relu(branches[index].project(adapted[name][index])) for name, branches in decoder.branches.items()
            ]
            x = _upsampled(stage, x, guidance)
        return decoder.head(x)[:, 0][None]


def _resized(images: Tensor, side: int) -> Tensor:
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def _clip(tower: DenseCLIPImageTower, images: Tensor, *, with_maps: bool) -> tuple[Tensor, list[Tensor]]:
    """Every block; each ends with a copy, and the last one has queries and keys too."""
    patches = tower.conv1(images).flatten(2).transpose(1, 2)
    x = torch.cat([tower.class_embedding.expand(len(patches), 1, -1), patches], dim=1)
    positions = resized_positions(tower.positional_embedding, (tower.grid, tower.grid))
    x = tower.ln_pre(x + positions).transpose(0, 1)  # (L, 1, D)
    taps = []
    *blocks, last = tower.blocks
    for index, block in enumerate(blocks):
        x = x + _attention(block, block.ln_1(x), with_maps=with_maps)
        x = x + block.mlp(block.ln_2(x))
        x = torch.cat([x[:1], x[1:]])  # an empty prompt is put in between
        if index in tower.taps:
            taps.append(x.transpose(0, 1))
    q, k, v = last.attn.qkv(last.ln_1(x)).chunk(3, dim=-1)
    q, k, v = (last.attn.out_proj(part) for part in (q, k, v))  # what becomes of q and k is dropped
    x = v + x[:1]
    x = x + last.mlp(last.ln_2(x))
    return tower.ln_post(x.transpose(0, 1)) @ tower.proj, taps


def _attention(block: Block, y: Tensor, *, with_maps: bool) -> Tensor:
    attention = block.attn
    q, k, v = attention.qkv.weight.chunk(3)
    out, _ = F.multi_head_attention_forward(
        y, y, y, y.shape[-1], attention.heads, None, attention.qkv.bias, None, None, False, 0.0,
        attention.out_proj.weight, attention.out_proj.bias, training=False, need_weights=with_maps,
        use_separate_proj_weight=True, q_proj_weight=q, k_proj_weight=k, v_proj_weight=v,
    )  # fmt: skip
    return out


def _space(layer: AggregatorLayer, x: Tensor, guidance: Tensor) -> Tensor:
    """Mix (K, C, h, w) over space, the guidance repeated and normalised for every class."""
    part = layer.spatial
    tokens, guides = as_tokens(x), as_tokens(guidance.repeat(len(x), 1, 1, 1))
    guides = part.guidance_norm(guides)
    for block in (part.block_1, part.block_2):
        attention = block.attn
        joint = torch.cat([block.norm1(tokens), guides], dim=-1)
        side, window = round(joint.shape[1] ** 0.5), attention.window
        shift = window // 2 if attention.shifted and window < side else 0
        windows = _windows(joint, side, window, shift)  # (K * n * n, w * w, C + G)
        q, k = (F.linear(windows, part_.weight, part_.bias) for part_ in (attention.q, attention.k))
        v = attention.v(windows[..., : tokens.shape[-1]])
        q, k, v = (tensor.unflatten(-1, (attention.heads, -1)).transpose(1, 2) for tensor in (q, k, v))
        weights = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        if shift:
            mask = _mask(side, window, shift)  # (n * n, w * w, w * w)
            weights = weights.unflatten(0, (-1, len(mask))) + mask[None, :, None]
            weights = weights.flatten(0, 1)
        out = (weights.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)
        tokens = tokens + _grid(attention.proj(out), side, window, shift)
        tokens = tokens + block.mlp(block.norm2(tokens))
    return as_maps(tokens)


def _windows(tokens: Tensor, side: int, window: int, shift: int) -> Tensor:
    x = tokens.unflatten(1, (side, side)).roll((-shift, -shift), dims=(1, 2))
    x = x.unflatten(2, (-1, window)).unflatten(1, (-1, window))
    return x.transpose(2, 3).flatten(0, 2).flatten(1, 2)


def _grid(windows: Tensor, side: int, window: int, shift: int) -> Tensor:
    n = side // window
    x = windows.unflatten(1, (window, window)).unflatten(0, (-1, n, n)).transpose(2, 3)
    return x.flatten(3, 4).flatten(1, 2).roll((shift, shift), dims=(1, 2)).flatten(1, 2)


def _mask(side: int, window: int, shift: int) -> Tensor:
    band = torch.zeros(side, dtype=torch.long)
    band[side - window : side - shift], band[side - shift :] = 1, 2
    regions = _windows((3 * band[:, None] + band)[None].flatten(1)[..., None], side, window, 0)[..., 0]
    return torch.where(regions[:, :, None] != regions[:, None, :], -100.0, 0.0)


def _classes(layer: AggregatorLayer, x: Tensor, text: Tensor) -> Tensor:
    """Mix (K, C, h, w) over classes, padded to 256 of them."""
    part, classes = layer.classes, len(x)
    pooled = F.avg_pool2d(x, part.pooling)
    sequence = pooled.flatten(2).permute(2, 0, 1)  # (places, K, C)
    pads = _PADDED_LENGTH - classes
    p = torch.cat([sequence, part.padding_tokens.expand(len(sequence), pads, -1)], dim=1)
    guidance = torch.cat([text, part.padding_guidance[0].expand(pads, -1)]).repeat(len(p), 1, 1)
    y = part.norm1(p)
    joint = torch.cat([y, guidance], dim=-1)
    q, k, v = _joint(part.q, joint), _joint(part.k, joint), part.v(y)
    q, k, v = (tensor.unflatten(-1, (part.heads, -1)) for tensor in (q, k, v))  # (places, 256, heads, d)
    q, k = F.elu(q) + 1, F.elu(k) + 1
    v = v / _PADDED_LENGTH  # scaled against overflow, as in the official linear attention
    context = torch.einsum("pshd,pshv->phdv", k, v)
    total = 1 / (torch.einsum("plhd,phd->plh", q, k.sum(dim=1)) + 1e-6)
    out = torch.einsum("plhd,phdv,plh->plhv", q, context, total) * _PADDED_LENGTH
    p = p + out.flatten(2)
    p = p + part.mlp(part.norm2(p))
    maps = p.permute(1, 2, 0).unflatten(2, pooled.shape[-2:])
    fine = F.interpolate(maps, size=x.shape[-2:], mode="bilinear", align_corners=True)
    return x + fine[:classes]


def _joint(layer: GuidedLinear, joint: Tensor) -> Tensor:
    return F.linear(joint, layer.weight, layer.bias)


def _upsampled(stage: UpsamplingStage, x: Tensor, guidance: list[Tensor]) -> Tensor:
    x = stage.up(x)
    if hasattr(stage, "cconv"):  # OVRIS weighs the guidance
        mean = x.mean(dim=0, keepdim=True)
        of_channels = stage.cconv(mean.mean(dim=(2, 3), keepdim=True))
        of_places = stage.sconv(mean.mean(dim=1, keepdim=True))
        guidance = [of_channels * maps + of_places * maps + maps for maps in guidance]
    y = torch.cat([x, *(maps.repeat(len(x), 1, 1, 1) for maps in guidance)], dim=1)
    y = F.relu(stage.norm1(stage.conv1(y)))
    return F.relu(stage.norm2(stage.conv2(y)))
