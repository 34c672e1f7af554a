from __future__ import annotations

from unittest.mock import patch

import pytest
import torch
from torch import nn

from ovrisisbench.adapters.sed import class_attention
from ovrisisbench.adapters.sed.class_attention import ClassAttention
from tests.adapters.sed.second_version import plain_class_attention


def _layer(channels: int, pooling: int) -> ClassAttention:
    torch.manual_seed(0)
    layer = ClassAttention(channels, heads=4, pooling=pooling).eval()
    for norm in (layer.norm1, layer.norm2):
        nn.init.normal_(norm.weight, 1, 0.3)
        nn.init.normal_(norm.bias, 0, 0.3)
    return layer


def _expected(layer: ClassAttention, x: torch.Tensor) -> torch.Tensor:
    official = {"q": "attention.q", "k": "attention.k", "v": "attention.v", "mlp": "MLP"}
    state = {}
    for key, value in layer.state_dict().items():
        part, _, rest = key.partition(".")
        state[f"{official.get(part, part)}.{rest}"] = value.double()
    return torch.stack([plain_class_attention(state, image.double(), pooling=layer.pooling) for image in x])


@torch.no_grad()
@pytest.mark.parametrize("pooling", [1, 2, 3])
@pytest.mark.parametrize("at_once", [1, 11, 100_000])
@pytest.mark.parametrize("shape", [(1, 5, 8, 6, 6), (2, 3, 16, 7, 4), (1, 1, 8, 6, 3)])
def test_it_equals_attention_written_head_by_head(pooling: int, at_once: int, shape: tuple[int, ...]) -> None:
    layer, x = _layer(shape[2], pooling), torch.randn(shape)
    before = x.clone()
    with patch.object(class_attention, "_ROWS_AT_ONCE", at_once):
        found = layer(x)
    torch.testing.assert_close(found.double(), _expected(layer, x), atol=1e-5, rtol=1e-5)
    assert torch.equal(x, before)


@torch.no_grad()
def test_large_and_small_logits_of_the_feature_map_stay_finite_and_right() -> None:
    layer, x = _layer(8, 1), torch.randn(1, 4, 8, 3, 3)
    for part in (layer.q, layer.k):
        part.weight.mul_(200)
    torch.testing.assert_close(layer(x).double(), _expected(layer, x), atol=2e-5, rtol=2e-5)


@torch.no_grad()
def test_without_pooling_the_input_counts_twice() -> None:
    layer, x = _layer(8, 1), torch.randn(1, 4, 8, 3, 3)
    for part in (layer.v, layer.mlp[2]):
        part.weight.zero_()
        part.bias.zero_()
    torch.testing.assert_close(layer(x), 2 * x)


@torch.no_grad()
def test_the_order_of_the_classes_does_not_matter() -> None:
    layer, x, order = _layer(8, 1), torch.randn(1, 5, 8, 4, 4), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], atol=1e-6, rtol=1e-6)


def test_gradients_are_those_of_the_plain_formula() -> None:
    layer, x = _layer(8, 1), torch.randn(1, 3, 8, 4, 4)
    for p in layer.parameters():
        p.grad = None
    layer(x).square().sum().backward()
    ours = layer.k.weight.grad.clone()
    layer = layer.double()
    layer.zero_grad()
    state = {}
    for name in ("norm1", "norm2"):
        state |= {f"{name}.weight": getattr(layer, name).weight, f"{name}.bias": getattr(layer, name).bias}
    for name in "qkv":
        state |= {f"attention.{name}.{kind}": getattr(getattr(layer, name), kind) for kind in ("weight", "bias")}
    for index in (0, 2):
        state |= {f"MLP.{index}.{kind}": getattr(layer.mlp[index], kind) for kind in ("weight", "bias")}
    plain_class_attention(state, x[0].double(), pooling=1).square().sum().backward()
    torch.testing.assert_close(ours.double(), layer.k.weight.grad, atol=1e-4, rtol=1e-4)
