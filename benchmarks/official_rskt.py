"""RSKT-Seg computed the long way: the work that the official code does for one image, step by step.

For comparing speed. It runs on the parameters of our network and gives the
same logits, but does everything that the official code does and ours does not:
one orientation after the other, attention maps that are built and dropped,
blocks whose output nobody reads, guidance repeated for every class and
convolved each time, position tables resized at every pass.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.positions import resized_positions
from ovrisisbench.adapters.cost_aggregation.dino import DINO
from ovrisisbench.adapters.cost_aggregation.guided import GuidedLinear
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps, as_tokens
from ovrisisbench.adapters.cost_aggregation.upsampling import UpsamplingStage
from ovrisisbench.adapters.rskt_seg.fusion import EfficientLayer
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg

__all__ = ["OfficialRSKT", "dino_outputs"]

_HEADS = 8


class OfficialRSKT:
    """The released setting: rotations, DINO, RemoteCLIP, separate fusion, efficient layers.

    Args:
        network: the network whose parameters to use; not changed.
    """

    def __init__(self, network: RSKTSeg) -> None:
        self.network = network
        config = network.config
        # The official code runs RemoteCLIP to its end; the weights of the part that no output depends on do not matter.
        self.remote = DenseCLIPImageTower(config.remote_tower, grid=config.grid, taps=config.remote_taps).eval()
        self.remote.load_state_dict(network.remote_clip.state_dict(), strict=False)

    @torch.no_grad()
    def __call__(self, images: Tensor, text: Tensor) -> Tensor:
        """Return the logits (1, K, 4 h, 4 w) of one normalised image (1, 3, H, W)."""
        network, config = self.network, self.network.config
        squared = _resized(images, config.clip_input)
        dense, taps = [], []
        for turns in range(4):
            features, tapped = _clip(network.clip, squared.rot90(turns, dims=(2, 3)))
            dense.append(as_maps(features[:, 1:]).rot90(-turns, dims=(2, 3)))
            taps.append(tapped)
        _, remote_taps = _clip(self.remote, _resized(images, config.remote_input))
        dino_taps = dino_outputs(network.dino, _resized(images, config.dino_input))
        encoders = {
            "clip": [as_maps(tap[:, 1:]) for tap in taps[0]],
            "remote_clip": [as_maps(tap[:, 1:]) for tap in remote_taps],
            "dino": [as_maps(dino_taps[block][:, 1:]) for block in config.dino_tower.taps[:2]],
        }
        adapted = {
            name: [branch.upsample(tap) for branch, tap in zip(branches, encoders[name], strict=True)]
            for name, branches in network.transfer.branches.items()
        }
        dino_map = network.cost_volume.dino_down_sample(as_maps(dino_taps[config.dino_tower.taps[2]][:, 1:]))
        x = self._cost_embedding(dense, dino_map, text)
        x = self._aggregated(x, dense[0], text)
        return self._decoded(x, adapted)

    def _cost_embedding(self, dense: list[Tensor], dino_map: Tensor, text: Tensor) -> Tensor:
        """(K, C, h, w)."""
        text = F.normalize(text, dim=-1)
        features = torch.stack([F.normalize(maps, dim=1) for maps in dense], dim=1)  # (1, 4, C, h, w)
        clip = torch.einsum("brchw,kc->bkrhw", features, text)[0]
        dino = torch.einsum("bchw,kc->bkhw", F.normalize(dino_map, dim=1), F.normalize(text, dim=-1))[0][:, None]
        volume = self.network.cost_volume
        of_clip, of_dino = volume.embedding.conv1(clip).sigmoid(), volume.embedding.conv2(dino).sigmoid()
        return volume.embedding.fusion_corr(torch.cat([of_clip, of_dino], dim=1)).sigmoid() + of_clip

    def _aggregated(self, x: Tensor, image: Tensor, text: Tensor) -> Tensor:
        fusion = self.network.fusion
        guidance = F.relu(fusion.image_projection(image)).repeat(len(x), 1, 1, 1)
        text = F.relu(fusion.text_projection(F.normalize(text, dim=-1)))
        for layer in fusion.layers:
            x = _classes(layer, _space(layer, x, guidance), text)
        return x

    def _decoded(self, x: Tensor, adapted: dict[str, list[Tensor]]) -> Tensor:
        transfer = self.network.transfer
        for stage, decoder in enumerate((transfer.decoder1, transfer.decoder2)):
            guidance = [
                F.relu(branches[stage].project(adapted[name][stage])).repeat(len(x), 1, 1, 1)
                for name, branches in transfer.branches.items()
            ]
            x = _upsampled(decoder, x, guidance)
        return transfer.head(x)[:, 0][None]


def _resized(images: Tensor, side: int) -> Tensor:
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def _clip(tower: DenseCLIPImageTower, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Every block, attention with weights; queries and keys in the last block too."""
    patches = tower.conv1(images).flatten(2).transpose(1, 2)
    x = torch.cat([tower.class_embedding.expand(len(patches), 1, -1), patches], dim=1)
    x = tower.ln_pre(x + resized_positions(tower.positional_embedding, (tower.grid, tower.grid))).transpose(
        0, 1
    )  # (L, 1, D)
    taps = []
    *blocks, last = tower.blocks
    for index, block in enumerate(blocks):
        x = x + _attention_with_weights(block, block.ln_1(x))
        x = x + block.mlp(block.ln_2(x))
        if index in tower.taps:
            taps.append(x.transpose(0, 1))
    q, k, v = last.attn.qkv(last.ln_1(x)).chunk(3, dim=-1)
    q, k, v = (last.attn.out_proj(part) for part in (q, k, v))  # what becomes of q and k is dropped
    x = v + x[:1]
    x = x + last.mlp(last.ln_2(x))
    return tower.ln_post(x.transpose(0, 1)) @ tower.proj, taps


def _attention_with_weights(block: Block, y: Tensor) -> Tensor:
    attention = block.attn
    q, k, v = attention.qkv.weight.chunk(3)
    out, _ = F.multi_head_attention_forward(
        y, y, y, y.shape[-1], attention.heads, None, attention.qkv.bias, None, None, False, 0.0,
        attention.out_proj.weight, attention.out_proj.bias, training=False, need_weights=True,
        use_separate_proj_weight=True, q_proj_weight=q, k_proj_weight=k, v_proj_weight=v,
    )  # fmt: skip
    return out


def dino_outputs(tower: DINO, images: Tensor) -> list[Tensor]:
    """Every block's output, normalised; attention maps and qkv handed out of each block."""
    patches = tower.patch_embed(images)
    factor = (tower.grid + 0.1) / tower.table
    positions = resized_positions(tower.pos_embed[0], (tower.grid, tower.grid), scale=(factor, factor))
    x = torch.cat([tower.cls_token.expand(len(patches), -1, -1), patches], dim=1) + positions
    outputs = []
    for block in tower.blocks:
        attended, _maps, _qkv = _explicit_attention(block.attn, block.norm1(x))
        x = x + attended
        x = x + block.mlp(block.norm2(x))
        outputs.append(tower.norm(x))
    return outputs


def _explicit_attention(attention: nn.Module, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    qkv = attention.qkv(y).unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    q, k, v = qkv
    maps = ((q @ k.transpose(-2, -1)) * attention.scale).softmax(dim=-1)
    return attention.proj((maps @ v).transpose(1, 2).flatten(2)), maps, qkv


def _space(layer: EfficientLayer, x: Tensor, guidance: Tensor) -> Tensor:
    """Mix (K, C, h, w) over space, the guidance repeated for every class."""
    part, attention = layer.spatial, layer.spatial.attention
    tokens = as_tokens(x)
    y = part.norm1(tokens)
    joint = torch.cat([y, as_tokens(guidance)], dim=-1)
    q = _joint(attention.q, joint)
    k = attention.k(attention.norm_k(as_tokens(attention.sr_k(as_maps(joint)))))
    v = attention.v(attention.norm_v(as_tokens(attention.sr_v(as_maps(y)))))
    tokens = tokens + attention.proj(_fused(q, k, v))
    tokens = tokens + as_tokens(part.dwconv(as_maps(part.mlp(part.norm2(tokens)))))
    return as_maps(tokens)


def _classes(layer: EfficientLayer, x: Tensor, text: Tensor) -> Tensor:
    """Mix (K, C, h, w) over classes, the text joined at every place."""
    part = layer.classes
    pooled = F.avg_pool2d(x, 2)
    p = pooled.flatten(2).permute(2, 0, 1)  # (places, K, C)
    y = part.norm1(p)
    joint = torch.cat([y, text.repeat(len(y), 1, 1)], dim=-1)
    p = p + part.proj(_fused(_joint(part.q, joint), _joint(part.k, joint), part.v(y)))
    p = p + F.relu6(part.mlp(part.norm2(p)))
    coarse = p.permute(1, 2, 0).unflatten(2, pooled.shape[-2:])
    return x + F.interpolate(coarse, size=x.shape[-2:], mode="bilinear", align_corners=True)


def _joint(layer: GuidedLinear, joint: Tensor) -> Tensor:
    return F.linear(joint, layer.weight, layer.bias)


def _fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The official aggregator does use fused attention, from torch 2.2 on."""
    q, k, v = (part.unflatten(-1, (_HEADS, -1)).transpose(1, 2) for part in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _upsampled(decoder: UpsamplingStage, x: Tensor, guidance: list[Tensor]) -> Tensor:
    y = torch.cat([decoder.up(x), *guidance], dim=1)
    y = F.relu(decoder.norm1(decoder.conv1(y)))
    return F.relu(decoder.norm2(decoder.conv2(y)))
