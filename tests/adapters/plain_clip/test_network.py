"""CLIP read densely, against a second version written plainly in float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.inference.folding import Foldable, fold_weights
from ovrisisbench.adapters.plain_clip.config import TINY, VIT_B, VIT_L, PlainCLIPConfig
from ovrisisbench.adapters.plain_clip.network import PlainCLIP
from tests.adapters.plain_clip.networks import lively

WIDE = replace(TINY, clip=replace(TINY.clip, width=128))


def _norm(x: Tensor, part: dict[str, Tensor], name: str) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * part[f"{name}.weight"] + part[f"{name}.bias"]


def _second_version(network: PlainCLIP, image: Tensor, text: Tensor) -> Tensor:
    config = network.config
    tower = {key: value.double() for key, value in network.clip.state_dict().items()}
    patches = F.conv2d(image[None].double(), tower["conv1.weight"], stride=config.clip.patch)[0].flatten(1).T
    table = tower["positional_embedding"]
    cells = table[1:].T.reshape(1, -1, config.clip.table, config.clip.table)
    cells = F.interpolate(cells, size=(config.grid, config.grid), mode="bicubic", align_corners=False)
    x = torch.cat([(tower["class_embedding"] + table[0])[None], patches + cells[0].flatten(1).T])
    x = _norm(x, tower, "ln_pre")
    for block in range(config.clip.blocks):
        prefix = f"transformer.resblocks.{block}."
        part = {key.removeprefix(prefix): value for key, value in tower.items() if key.startswith(prefix)}
        q, k, v = F.linear(_norm(x, part, "ln_1"), part["attn.qkv.weight"], part["attn.qkv.bias"]).chunk(3, dim=1)
        if block < config.clip.blocks - 1 or config.dense == "ordinary":
            heads = zip(*(each.chunk(config.clip.heads, dim=1) for each in (q, k, v)), strict=True)
            v = torch.cat([torch.softmax(a @ b.T / a.shape[1] ** 0.5, dim=1) @ c for a, b, c in heads], dim=1)
        x = x + F.linear(v, part["attn.out_proj.weight"], part["attn.out_proj.bias"])
        y = F.linear(_norm(x, part, "ln_2"), part["mlp.c_fc.weight"], part["mlp.c_fc.bias"])
        x = x + F.linear(y * torch.sigmoid(1.702 * y), part["mlp.c_proj.weight"], part["mlp.c_proj.bias"])
    features = (_norm(x, tower, "ln_post") @ tower["proj"])[1:]
    cosines = (features / features.norm(dim=1, keepdim=True)) @ text.double().T
    return cosines.T.reshape(len(text), config.grid, config.grid)


@torch.no_grad()
@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("config", [TINY, WIDE, replace(TINY, dense="ordinary"), replace(WIDE, dense="ordinary")])
def test_cosines_are_those_of_the_second_version(config: PlainCLIPConfig, fold: bool) -> None:
    network = lively(config)
    if fold:
        fold_weights(network)
        used = [module for module in network.modules() if isinstance(module, Foldable) and module.folded is not None]
        assert len(used) == (2 if config.dense == "value" else 1), "the position table, and the value path"
    images = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    text = F.normalize(torch.randn(4, config.clip.embedding, generator=torch.Generator().manual_seed(1)), dim=-1)
    cosines = network(images, text)
    plain = torch.stack([_second_version(network, image, text) for image in images])
    torch.testing.assert_close(cosines.double(), plain, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_two_ways_to_read_the_last_block_differ() -> None:
    value, ordinary = lively(), lively(replace(TINY, dense="ordinary"))
    assert value.state_dict().keys() == ordinary.state_dict().keys()
    ordinary.load_state_dict(value.state_dict())
    image = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    text = F.normalize(torch.randn(4, TINY.clip.embedding, generator=torch.Generator().manual_seed(1)), dim=-1)
    assert (value(image, text) - ordinary(image, text)).abs().max() > 1e-2


def test_sizes_are_those_of_the_family() -> None:
    assert (VIT_B.side, VIT_B.grid) == (384, 24)
    assert (VIT_L.side, VIT_L.grid) == (336, 24)


def test_parameters_are_those_of_clip_without_its_temperature() -> None:
    with torch.device("meta"):
        counts = [sum(p.numel() for p in PlainCLIP(config).parameters()) for config in (VIT_B, VIT_L)]
    assert counts == [149_620_737 - 1, 427_944_193 - 1]


def test_gradients_reach_both_ends_of_the_tower() -> None:
    network = fold_weights(lively(replace(TINY)).requires_grad_(True))
    text = F.normalize(torch.randn(2, TINY.clip.embedding), dim=-1)
    network(torch.randn(1, 3, 96, 96), text).square().sum().backward()
    without = {name for name, parameter in network.clip.named_parameters() if parameter.grad is None}
    assert not without
