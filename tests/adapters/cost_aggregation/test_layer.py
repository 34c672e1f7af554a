"""CAT-Seg's layer against a second version that does what the official one does, pads and windows spelled out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.layer import AggregatorConfig, AggregatorLayer

HIDDEN, IMAGE, TEXT, SIDE = 16, 8, 12, 12
CONFIG = AggregatorConfig(window=6, heads=2)


def _layer(config: AggregatorConfig) -> AggregatorLayer:
    torch.manual_seed(0)
    layer = AggregatorLayer(HIDDEN, IMAGE, TEXT, config).eval()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.3)
    return layer


def _heads(tokens: Tensor, heads: int) -> Tensor:
    return tokens.unflatten(-1, (heads, -1)).transpose(-2, -3)


def _classes_with_real_pads(layer: AggregatorLayer, x: Tensor, text: Tensor, config: AggregatorConfig) -> Tensor:
    """x (K, L, C)."""
    part, count = layer.classes, len(x)
    maps = x.transpose(1, 2).unflatten(2, (SIDE, SIDE))
    p = F.avg_pool2d(maps, config.pooling).flatten(2).permute(2, 0, 1)  # (places, K, C)
    missing = max(0, 256 - count)
    p = torch.cat([p, part.padding_tokens.expand(len(p), missing, -1)], dim=1)
    text = torch.cat([text, part.padding_guidance[0].expand(missing, -1)])
    y = part.norm1(p)
    joint = torch.cat([y, text.expand(len(y), -1, -1)], dim=-1)
    q, k = (F.linear(joint, linear.weight, linear.bias) for linear in (part.q, part.k))
    q, k, v = (_heads(tokens, config.heads) for tokens in (q, k, part.v(y)))
    if config.attention == "full":
        out = ((q @ k.mT) * q.shape[-1] ** -0.5).softmax(-1) @ v
    else:
        q, k = F.elu(q) + 1, F.elu(k) + 1
        out = (q @ (k.mT @ v)) / (q @ k.sum(-2, keepdim=True).mT + 1e-6)
    p = p + out.transpose(1, 2).flatten(2)
    p = (p + part.mlp(part.norm2(p)))[:, :count]
    side = SIDE // config.pooling
    coarse = p.permute(1, 2, 0).unflatten(2, (side, side))
    fine = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
    return x + fine.flatten(2).transpose(1, 2)


@torch.no_grad()
@pytest.mark.parametrize("attention", ["linear", "full"])
@pytest.mark.parametrize("count", [1, 3, 255, 256, 257])
def test_one_weighted_pad_equals_padding_to_256(attention: str, count: int) -> None:
    config = replace(CONFIG, attention=attention, pooling=2)
    layer, x, text = _layer(config), torch.randn(count, SIDE**2, HIDDEN), torch.randn(count, TEXT)
    expected = _classes_with_real_pads(layer, x, text, config)
    torch.testing.assert_close(layer.classes(x[None], text)[0], expected, atol=3e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("pooling", [1, 2, 6])
def test_pooling_is_undone_before_the_residual(pooling: int) -> None:
    config = replace(CONFIG, pooling=pooling)
    layer, x, text = _layer(config), torch.randn(5, SIDE**2, HIDDEN), torch.randn(5, TEXT)
    expected = _classes_with_real_pads(layer, x, text, config)
    torch.testing.assert_close(layer.classes(x[None], text)[0], expected, atol=3e-5, rtol=1e-5)


def _space_window_by_window(layer: AggregatorLayer, x: Tensor, guidance: Tensor, config: AggregatorConfig) -> Tensor:
    """x (K, L, C); windows cut in loops, the mask from the origin of each place."""
    part, window = layer.spatial, min(config.window, SIDE)
    g = part.guidance_norm(guidance)
    for block, shift in ((part.block_1, 0), (part.block_2, window // 2 if window < SIDE else 0)):
        y = block.norm1(x)
        joint = torch.cat([y, g.expand(len(x), -1, -1)], dim=-1)
        attn = block.attn
        q, k = (F.linear(joint, linear.weight, linear.bias) for linear in (attn.q, attn.k))
        q, k, v = (tokens.unflatten(1, (SIDE, SIDE)).roll((-shift, -shift), (1, 2)) for tokens in (q, k, attn.v(y)))
        origin = torch.arange(SIDE).roll(-shift)
        wrapped = (origin < shift) if shift else torch.zeros(SIDE, dtype=torch.bool)
        out = torch.zeros_like(v)
        for top in range(0, SIDE, window):
            for left in range(0, SIDE, window):
                rows, columns = slice(top, top + window), slice(left, left + window)
                region = (2 * wrapped[rows, None] + wrapped[None, columns].long()).flatten()
                mask = torch.where(region[:, None] != region[None], -100.0, 0.0)
                qw, kw, vw = (_heads(part_[:, rows, columns].flatten(1, 2), config.heads) for part_ in (q, k, v))
                mixed = ((qw @ kw.mT) * qw.shape[-1] ** -0.5 + mask).softmax(-1) @ vw
                out[:, rows, columns] = mixed.transpose(1, 2).flatten(2).unflatten(1, (window, window))
        x = x + attn.proj(out.roll((shift, shift), (1, 2)).flatten(1, 2))
        x = x + block.mlp(block.norm2(x))
    return x


@torch.no_grad()
@pytest.mark.parametrize("window", [3, 4, 6, 12, 24])
def test_windows_are_cut_shifted_and_masked_as_swin_does(window: int) -> None:
    config = replace(CONFIG, window=window)
    layer, x, guidance = _layer(config), torch.randn(2, SIDE**2, HIDDEN), torch.randn(1, SIDE**2, IMAGE)
    expected = _space_window_by_window(layer, x, guidance, config)
    torch.testing.assert_close(layer.spatial(x[None], guidance)[0], expected, atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_images_of_a_batch_do_not_mix() -> None:
    layer = _layer(CONFIG)
    x, guidance, text = torch.randn(2, 3, SIDE**2, HIDDEN), torch.randn(2, SIDE**2, IMAGE), torch.randn(3, TEXT)
    both = layer.classes(layer.spatial(x, guidance), text)
    second = layer.classes(layer.spatial(x[1:], guidance[1:]), text)
    torch.testing.assert_close(both[1:], second, atol=1e-5, rtol=1e-5)
