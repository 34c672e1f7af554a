from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ovrisisbench.adapters.scan.calibration import FrequencyFilter, Fusion, LightweightTransformer, SemanticMLP
from tests.adapters.scan.plain import attention


@pytest.mark.parametrize("side", [4, 5])
@torch.no_grad()
def test_the_filter_weakens_the_middle_of_the_unshifted_spectrum(side: int) -> None:
    torch.manual_seed(0)
    width, sigmas = 3, (9.0, 1.5)
    layer, maps = FrequencyFilter(width), torch.randn(2, width, side, side)
    wave = np.exp(-2j * np.pi * np.outer(np.arange(side), np.arange(side)) / side)  # the transform as a matrix
    expected = maps.clone()
    for index, sigma in enumerate(sigmas):
        spectrum = np.einsum("yi,cij,xj->cyx", wave, maps[index].numpy(), wave)
        for i in range(side):
            for j in range(side):
                away = (i - side // 2) ** 2 + (j - side // 2) ** 2
                spectrum[:, i, j] *= 1 - math.exp(-away / (2 * sigma**2))
        mixed = np.concatenate([spectrum.real, spectrum.imag])
        for conv, last in ((layer.conv1, False), (layer.conv2, True)):
            weight, bias = conv.weight[:, :, 0, 0].numpy(), conv.bias.numpy()
            mixed = np.einsum("oc,cij->oij", weight, mixed) + bias[:, None, None]
            mixed = mixed if last else mixed.clip(min=0)
        inverse = np.conj(wave) / side
        back = np.einsum("yi,cij,xj->cyx", inverse, mixed[:width] + 1j * mixed[width:], inverse)
        expected[index] += torch.from_numpy(back.real).float()
    torch.testing.assert_close(layer(maps, sigmas), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_nothing_stands_between_the_two_layers_of_the_mlp() -> None:
    torch.manual_seed(0)
    mlp, tokens = SemanticMLP(6, 4), torch.randn(5, 6)
    matrix = mlp.fc2.weight @ mlp.fc1.weight
    torch.testing.assert_close(mlp(tokens), tokens @ matrix.T + mlp.fc2.weight @ mlp.fc1.bias + mlp.fc2.bias)


@torch.no_grad()
def test_queries_ask_the_memory_and_the_last_layer_has_no_norm() -> None:
    torch.manual_seed(0)
    fusion = Fusion(8, heads=2, layers=3)
    for parameter in fusion.parameters():
        nn.init.normal_(parameter, std=0.5)
    queries, memory = torch.randn(4, 8), torch.randn(7, 8)
    state, expected = fusion.state_dict(), queries
    for layer in range(3):
        expected = expected + attention(state, f"multiattn.{layer}", (expected, memory, memory), heads=2)
        if layer < 2:
            expected = F.layer_norm(expected, (8,), state[f"ln.{layer}.weight"], state[f"ln.{layer}.bias"])
    torch.testing.assert_close(fusion(queries[None], memory[None])[0], expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_in_the_lightweight_transformer_queries_never_see_each_other() -> None:
    torch.manual_seed(0)
    ours = LightweightTransformer(8, heads=2, mlp=16, layers=3).eval()
    for parameter in ours.parameters():
        nn.init.normal_(parameter, std=0.5)
    queries = torch.randn(5, 8)
    alone = nn.TransformerEncoder.forward(ours, queries[:, None])[:, 0]  # five sequences of length one
    torch.testing.assert_close(ours(queries), alone, atol=1e-5, rtol=1e-5)
    together = nn.TransformerEncoder.forward(ours, queries[None])[0]  # one sequence of five
    assert (ours(queries) - together).abs().max() > 0.01
