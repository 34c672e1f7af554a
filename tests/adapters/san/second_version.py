"""SAN written a second time, as plainly as the official code describes it, on tensors by their official names."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.san.config import SANConfig
from ovrisisbench.adapters.san.network import SAN
from ovrisisbench.adapters.san.official import file_layout
from tests.adapters.official_shapes import official_state

__all__ = ["Weights", "attend", "drawn_network", "plain_proposals", "pooled", "weights_of"]

MASKED = -100.0


def drawn_network(config: SANConfig, *, seed: int = 0) -> SAN:
    """A float64 network whose every tensor is drawn, so that none of them is without effect."""
    torch.manual_seed(seed)
    network = SAN(config).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            spread = 1 / math.sqrt(parameter[0].numel()) if parameter.ndim > 1 else 0.3
            parameter.normal_(std=spread)
        for module in network.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.weight.add_(1)
        network.side.mask_decoder.bias_scaling.weight.fill_(-1.7)
        network.logit_scale.fill_(1.3)
    return network


class Weights:
    """Official tensors below a prefix."""

    def __init__(self, state: Mapping[str, Tensor], prefix: str = "") -> None:
        self.state, self.prefix = state, prefix

    def __getitem__(self, name: str) -> Tensor:
        return self.state[f"{self.prefix}{name}"]

    def below(self, prefix: str) -> Weights:
        return Weights(self.state, f"{self.prefix}{prefix}.")

    def linear(self, name: str, x: Tensor) -> Tensor:
        weight = self[f"{name}.weight"]
        return x @ weight.flatten(1).T + self[f"{name}.bias"]

    def norm(self, name: str, x: Tensor, eps: float) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return (
            centred / (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt() * self[f"{name}.weight"]
            + self[f"{name}.bias"]
        )


def weights_of(network: SAN) -> Weights:
    """The tensors of a network as an official file has them."""
    return Weights(official_state(network, file_layout(network.config)))


def attend(x: Tensor, weight: Tensor, bias: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Attention among tokens (L, D) before its output projection, head by head; ``mask`` (heads, L, L) is added."""
    q, k, v = (x @ weight.T + bias).chunk(3, dim=1)
    size = x.shape[1] // heads
    outputs = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        logits = q[:, part] @ k[:, part].T / math.sqrt(size)
        if mask is not None:
            logits = logits + mask[head]
        outputs.append(logits.softmax(-1) @ v[:, part])
    return torch.cat(outputs, dim=1)


def pooled(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    """Adaptive max pooling of (..., h, w), cell by cell."""
    height, width = maps.shape[-2:]
    out = maps.new_zeros(*maps.shape[:-2], *grid)
    for row in range(grid[0]):
        for column in range(grid[1]):
            top, bottom = row * height // grid[0], -(-(row + 1) * height // grid[0])
            left, right = column * width // grid[1], -(-(column + 1) * width // grid[1])
            out[..., row, column] = maps[..., top:bottom, left:right].amax((-2, -1))
    return out


def plain_proposals(weights: Weights, config: SANConfig, image: Tensor, classifier: Tensor) -> dict[str, Tensor]:
    """Everything from a normalised and padded image (3, H, W) to the class logits, by the names of the trace."""
    found: dict[str, Tensor] = {}
    _front(weights.below("clip_visual_extractor"), config, image, found)
    _side(weights.below("side_adapter_network"), config, image, found)
    _back(weights.below("clip_rec_head"), config, found)
    scale = weights["ov_classifier.logit_scale"].exp()
    found["class_logits"] = scale * found["mask_embeddings"] @ classifier.T
    return found


def _front(clip: Weights, config: SANConfig, image: Tensor, found: dict[str, Tensor]) -> None:
    small = F.interpolate(image[None], scale_factor=config.resolution, mode="bilinear", align_corners=False)
    maps = F.conv2d(small, clip["conv1.weight"], stride=config.clip.patch)[0]
    grid, side = maps.shape[1:], config.clip.table
    table = clip["positional_embedding"]
    cells = table[1:].T.reshape(1, -1, side, side)
    if grid != (side, side):
        cells = F.interpolate(cells, size=grid, mode="bicubic", align_corners=False)
    x = torch.cat([clip["class_embedding"][None] + table[:1], (maps + cells[0]).flatten(1).T])
    x = clip.norm("ln_pre", x, 1e-5)
    found["clip_input"], found["clip_feat_0"] = small[0], x[1:].T.unflatten(1, grid)
    for number in range(config.front):
        x = _clip_block(clip.below(f"resblocks.{number}"), x, config.clip.heads)
        found[f"clip_feat_{number + 1}"] = x[1:].T.unflatten(1, grid)
    found["clip_cls"] = x[0]


def _clip_block(block: Weights, x: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    y = attend(block.norm("ln_1", x, 1e-5), block["attn.in_proj_weight"], block["attn.in_proj_bias"], heads, mask)
    x = x + block.linear("attn.out_proj", y)
    y = block.linear("mlp.c_fc", block.norm("ln_2", x, 1e-5))
    return x + block.linear("mlp.c_proj", y / (1 + (-1.702 * y).exp()))


def _side(side: Weights, config: SANConfig, image: Tensor, found: dict[str, Tensor]) -> None:
    sizes = config.side
    maps = F.conv2d(
        image[None], side["vit_model.patch_embed.proj.weight"], side["vit_model.patch_embed.proj.bias"],
        stride=sizes.patch,
    )[0]  # fmt: skip
    grid = maps.shape[1:]
    table = side["vit_model.pos_embed"][0]
    if maps[0].numel() != len(table):
        cells = table.T.reshape(1, -1, sizes.table, sizes.table)
        table = F.interpolate(cells, size=grid, mode="bicubic", align_corners=False)[0].flatten(1).T
    positions = torch.cat([side["query_pos_embed"][0], table])
    x = torch.cat([side["query_embed"][0], maps.flatten(1).T]) + positions
    layers = [side.below(f"fusion_layers.layer_{number}.input_proj") for number in range(len(config.taps))]
    _fuse(layers[0], found[f"clip_feat_{config.taps[0]}"], x, grid)
    for number in range(1, sizes.blocks + 1):
        block = side.below(f"vit_model.blocks.{number - 1}")
        y = attend(block.norm("norm1", x, 1e-6), block["attn.qkv.weight"], block["attn.qkv.bias"], sizes.heads)
        x = x + block.linear("attn.proj", y)
        y = block.linear("mlp.fc1", block.norm("norm2", x, 1e-6))
        x = x + block.linear("mlp.fc2", 0.5 * y * (1 + torch.erf(y / math.sqrt(2))))
        found[f"side_block_{number}"] = x.clone()
        if number < len(config.taps):
            _fuse(layers[number], found[f"clip_feat_{config.taps[number]}"], x, grid)
        if number < sizes.blocks:
            x = x + positions
    _decode(side.below("mask_decoder"), config, x, grid, found)


def _fuse(layer: Weights, maps: Tensor, x: Tensor, grid: torch.Size) -> None:
    """Add CLIP's maps (D, h, w) to the last tokens of ``x``, in place."""
    projected = layer.linear("1", layer.norm("0", maps.flatten(1).T, 1e-6)).T.unflatten(1, maps.shape[1:])
    enlarged = F.interpolate(projected[None], size=grid, mode="bilinear", align_corners=False)[0]
    x[-enlarged[0].numel() :] += enlarged.flatten(1).T


def _decode(decoder: Weights, config: SANConfig, x: Tensor, grid: torch.Size, found: dict[str, Tensor]) -> None:
    queries, pixels = x[: config.side.queries], x[config.side.queries :]
    q = _mlp(decoder.below("query_mlp"), queries)
    found["mask_logits"] = (q @ _mlp(decoder.below("pix_mlp"), pixels).T).unflatten(1, grid)
    channels = _mlp(decoder.below("attn_mlp"), pixels).unflatten(1, (config.clip.heads, q.shape[1]))
    bias = torch.stack([q @ channels[:, head].T for head in range(config.clip.heads)])
    bias = bias * decoder["bias_scaling.weight"].item() + decoder["bias_scaling.bias"].item()
    found["attn_bias"] = bias.unflatten(2, grid)


def _mlp(layers: Weights, x: Tensor) -> Tensor:
    for number in (0, 1):
        x = layers.linear(f"layers.{number}", x).clamp(min=0)
    return layers.linear("layers.2", x)


def _back(clip: Weights, config: SANConfig, found: dict[str, Tensor]) -> None:
    patches = found[f"clip_feat_{config.front}"]
    bias = pooled(found["attn_bias"], (patches.shape[1], patches.shape[2])).flatten(2)
    heads, queries, count = bias.shape
    length = queries + 1 + count
    mask = bias.new_zeros(heads, length, length)
    mask[:, :, :queries] = MASKED
    mask[:, :queries, queries] = MASKED
    mask[:, :queries, queries + 1 :] = bias
    for query in range(queries):
        mask[:, query, query] = 0
    of_class = found["clip_cls"][None]
    x = torch.cat([of_class.repeat(queries, 1), of_class, patches.flatten(1).T])
    for number in range(config.clip.blocks - config.front):
        x = _clip_block(clip.below(f"resblocks.{number}"), x, heads, mask)
    x = clip.norm("ln_post", x[:queries], 1e-5) @ clip["proj"]
    found["attn_bias_pooled"], found["mask_embeddings"] = bias, x / x.norm(dim=1, keepdim=True)
