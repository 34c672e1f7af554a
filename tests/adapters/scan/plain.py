"""Swin and Mask2Former written plainly on the tensors of an official file: one window, one head at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["attention", "mask_decoder", "pixel_decoder", "sine_positions", "swin"]

State = Mapping[str, Tensor]


def swin(state: State, images: Tensor, *, depths: tuple[int, ...], heads: tuple[int, ...], window: int) -> list[Tensor]:
    """The four outputs (C, h, w) for one image (1, 3, H, W)."""
    x = F.conv2d(images, state["backbone.patch_embed.proj.weight"], state["backbone.patch_embed.proj.bias"], stride=4)
    x = _norm(state, "backbone.patch_embed.norm", x[0].permute(1, 2, 0))  # (h, w, C)
    outputs = []
    for stage, depth in enumerate(depths):
        for block in range(depth):
            name = f"backbone.layers.{stage}.blocks.{block}"
            y = _norm(state, f"{name}.norm1", x)
            x = x + _windows(state, f"{name}.attn", y, heads[stage], window, shift=window // 2 if block % 2 else 0)
            y = _linear(state, f"{name}.mlp.fc1", _norm(state, f"{name}.norm2", x))
            x = x + _linear(state, f"{name}.mlp.fc2", F.gelu(y))
        outputs.append(_norm(state, f"backbone.norm{stage}", x).permute(2, 0, 1))
        if stage < len(depths) - 1:
            x = _merged(state, f"backbone.layers.{stage}.downsample", x)
    return outputs


def _merged(state: State, name: str, x: Tensor) -> Tensor:
    x = F.pad(x, (0, 0, 0, x.shape[1] % 2, 0, x.shape[0] % 2))
    x = torch.cat([x[row::2, column::2] for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))], dim=-1)
    return _norm(state, f"{name}.norm", x) @ state[f"{name}.reduction.weight"].T


def _windows(state: State, name: str, y: Tensor, heads: int, window: int, *, shift: int) -> Tensor:
    height, width, channels = y.shape
    y = F.pad(y, (0, 0, 0, -width % window, 0, -height % window))
    y = y.roll((-shift, -shift), dims=(0, 1))
    regions = [[_region(place, side, window, shift) for place in range(side)] for side in y.shape[:2]]
    out = torch.zeros_like(y)
    for top in range(0, y.shape[0], window):
        for left in range(0, y.shape[1], window):
            places = [(top + row, left + column) for row in range(window) for column in range(window)]
            tokens = y[top : top + window, left : left + window].reshape(-1, channels)
            bias = torch.empty(len(places), len(places), heads)
            for i, (row, column) in enumerate(places):
                for j, (other_row, other_column) in enumerate(places):
                    dy, dx = row - other_row, column - other_column
                    entry = (dy + window - 1) * (2 * window - 1) + dx + window - 1
                    bias[i, j] = state[f"{name}.relative_position_bias_table"][entry]
                    if (regions[0][row], regions[1][column]) != (regions[0][other_row], regions[1][other_column]):
                        bias[i, j] -= 100
            q, k, v = _linear(state, f"{name}.qkv", tokens).chunk(3, dim=-1)
            mixed = _heads(q, k, v, heads, bias.permute(2, 0, 1))
            mixed = _linear(state, f"{name}.proj", mixed)
            out[top : top + window, left : left + window] = mixed.reshape(window, window, channels)
    return out.roll((shift, shift), dims=(0, 1))[:height, :width]


def _region(place: int, side: int, window: int, shift: int) -> int:
    if not shift or place < side - window:
        return 0
    return 1 if place < side - shift else 2


def _heads(q: Tensor, k: Tensor, v: Tensor, heads: int, bias: Tensor) -> Tensor:
    """Attention (L, C) with a bias (heads, L, M), head by head."""
    size = q.shape[-1] // heads
    outputs = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        weights = (q[:, part] @ k[:, part].T / math.sqrt(size) + bias[head]).softmax(dim=-1)
        outputs.append(weights @ v[:, part])
    return torch.cat(outputs, dim=-1)


def attention(
    state: State, name: str, inputs: tuple[Tensor, Tensor, Tensor], *, heads: int, blocked: Tensor | None = None
) -> Tensor:
    """torch's multi-head attention of queries (L, C), keys and values (M, C); ``blocked`` (L, M) pairs are left out."""
    parts = zip(state[f"{name}.in_proj_weight"].chunk(3), state[f"{name}.in_proj_bias"].chunk(3), strict=True)
    q, k, v = (x @ weight.T + bias for x, (weight, bias) in zip(inputs, parts, strict=True))
    bias = torch.zeros(heads, len(q), len(k))
    if blocked is not None:
        bias = bias.masked_fill(blocked, -torch.inf)
    return _linear(state, f"{name}.out_proj", _heads(q, k, v, heads, bias))


def sine_positions(height: int, width: int, channels: int) -> Tensor:
    """(h, w, channels): the first half for the row, the second for the column."""
    out = torch.empty(height, width, channels)
    half = channels // 2
    for row in range(height):
        for column in range(width):
            for index in range(half):
                frequency = 10000 ** (2 * (index // 2) / half)
                for offset, place, side in ((0, row, height), (half, column, width)):
                    angle = (place + 1) / (side + 1e-6) * 2 * math.pi / frequency
                    out[row, column, offset + index] = math.cos(angle) if index % 2 else math.sin(angle)
    return out


def pixel_decoder(state: State, maps: list[Tensor], *, layers: int, heads: int) -> tuple[Tensor, list[Tensor]]:
    """Mask features (C, h, w), and the maps of strides 32, 16 and 8, from Swin's four outputs."""
    root = "sem_seg_head.pixel_decoder"
    levels = []
    for level, features in enumerate(maps[:0:-1]):
        y = F.conv2d(
            features[None], state[f"{root}.input_proj.{level}.0.weight"], state[f"{root}.input_proj.{level}.0.bias"]
        )
        levels.append(_group_norm(state, f"{root}.input_proj.{level}.1", y)[0])
    sizes = [level.shape[1:] for level in levels]
    width = levels[0].shape[0]
    x = torch.cat([level.flatten(1).T for level in levels])  # (L, C)
    embed = state[f"{root}.transformer.level_embed"]
    positions = torch.cat(
        [sine_positions(*size, width).flatten(0, 1) + embed[level] for level, size in enumerate(sizes)]
    )
    for layer in range(layers):
        name = f"{root}.transformer.encoder.layers.{layer}"
        x = _norm(
            state, f"{name}.norm1", x + _deformable(state, f"{name}.self_attn", x, positions, sizes=sizes, heads=heads)
        )
        y = _linear(state, f"{name}.linear2", _linear(state, f"{name}.linear1", x).relu())
        x = _norm(state, f"{name}.norm2", x + y)
    parts = x.split([height * width_ for height, width_ in sizes])
    decoded = [part.T.unflatten(1, size) for part, size in zip(parts, sizes, strict=True)]
    lateral = _group_norm(state, f"{root}.adapter_1.norm", F.conv2d(maps[0][None], state[f"{root}.adapter_1.weight"]))
    y = lateral + F.interpolate(decoded[2][None], size=maps[0].shape[1:], mode="bilinear", align_corners=False)
    y = _group_norm(state, f"{root}.layer_1.norm", F.conv2d(y, state[f"{root}.layer_1.weight"], padding=1)).relu()
    y = F.conv2d(y, state[f"{root}.mask_features.weight"], state[f"{root}.mask_features.bias"])
    return y[0], decoded


def _deformable(
    state: State, name: str, x: Tensor, positions: Tensor, *, sizes: list[tuple[int, int]], heads: int
) -> Tensor:
    points, levels = 4, len(sizes)
    values = _linear(state, f"{name}.value_proj", x).unflatten(1, (heads, -1))  # (L, heads, d)
    offsets = _linear(state, f"{name}.sampling_offsets", x + positions).unflatten(1, (heads, levels, points, 2))
    weights = _linear(state, f"{name}.attention_weights", x + positions).unflatten(1, (heads, levels * points))
    weights = weights.softmax(dim=-1).unflatten(2, (levels, points))
    places = [((row + 0.5) / h, (column + 0.5) / w) for h, w in sizes for row in range(h) for column in range(w)]
    reference = torch.tensor(places)  # (L, 2), rows first
    starts = [sum(h * w for h, w in sizes[:level]) for level in range(levels)]
    out = torch.zeros_like(values)
    for level, (h, w) in enumerate(sizes):
        grid = values[starts[level] : starts[level] + h * w].unflatten(0, (h, w))  # (h, w, heads, d)
        for head in range(heads):
            for point in range(points):
                dx, dy = offsets[:, head, level, point].unbind(-1)
                sampled = _bilinear(grid[:, :, head], reference[:, 0] * h + dy - 0.5, reference[:, 1] * w + dx - 0.5)
                out[:, head] += weights[:, head, level, point, None] * sampled
    return _linear(state, f"{name}.output_proj", out.flatten(1))


def _bilinear(grid: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Sample a grid (h, w, d) at places in cells, nought outside: (L, d)."""
    height, width, _ = grid.shape
    out = torch.zeros(len(y), grid.shape[2])
    for row in (y.floor().long(), y.floor().long() + 1):
        for column in (x.floor().long(), x.floor().long() + 1):
            share = (1 - (y - row).abs()) * (1 - (x - column).abs())
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            out += (share * inside)[:, None] * grid[row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return out


def mask_decoder(
    state: State, levels: list[Tensor], features: Tensor, *, layers: int, heads: int
) -> tuple[Tensor, Tensor]:
    """Embedded queries (Q, D) and mask logits (Q, h, w) of the last layer."""
    root = "sem_seg_head.predictor"
    x, places = state[f"{root}.query_feat.weight"], state[f"{root}.query_embed.weight"]
    for layer in range(layers):
        level = layer % 3
        masks = _masks(state, _norm(state, f"{root}.decoder_norm", x), features)
        size = levels[level].shape[1:]
        resized = F.interpolate(masks[None], size=size, mode="bilinear", align_corners=False)[0]
        blocked = resized.sigmoid().flatten(1) < 0.5
        blocked[blocked.all(dim=1)] = False
        memory = levels[level].flatten(1).T + state[f"{root}.level_embed.weight"][level]
        keys = memory + sine_positions(*size, memory.shape[1]).flatten(0, 1)
        name = f"{root}.transformer_cross_attention_layers.{layer}"
        y = attention(state, f"{name}.multihead_attn", (x + places, keys, memory), heads=heads, blocked=blocked)
        x = _norm(state, f"{name}.norm", x + y)
        name = f"{root}.transformer_self_attention_layers.{layer}"
        x = _norm(
            state, f"{name}.norm", x + attention(state, f"{name}.self_attn", (x + places, x + places, x), heads=heads)
        )
        name = f"{root}.transformer_ffn_layers.{layer}"
        y = _linear(state, f"{name}.linear2", _linear(state, f"{name}.linear1", x).relu())
        x = _norm(state, f"{name}.norm", x + y)
    x = _norm(state, f"{root}.decoder_norm", x)
    embedded = _linear(state, f"{root}.class_embed.layers.1", _linear(state, f"{root}.class_embed.layers.0", x).relu())
    return embedded, _masks(state, x, features)


def _masks(state: State, x: Tensor, features: Tensor) -> Tensor:
    for index in range(3):
        x = _linear(state, f"sem_seg_head.predictor.mask_embed.layers.{index}", x.relu() if index else x)
    return torch.einsum("qc,chw->qhw", x, features)


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def _norm(state: State, name: str, x: Tensor) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    scaled = centred / (centred.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def _group_norm(state: State, name: str, x: Tensor) -> Tensor:
    return F.group_norm(x, 32, state[f"{name}.weight"], state[f"{name}.bias"])
