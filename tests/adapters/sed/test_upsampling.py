from __future__ import annotations

from unittest.mock import patch

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ovrisisbench.adapters.sed import upsampling
from ovrisisbench.adapters.sed.upsampling import AccurateGroupNorm, GuidedUpsampling


def _stage() -> GuidedUpsampling:
    torch.manual_seed(0)
    stage = GuidedUpsampling(20, 6, 32, grid=4).eval()
    for norm in (stage.norm1, stage.norm2):
        nn.init.normal_(norm.weight, 1, 0.3)
        nn.init.normal_(norm.bias, 0, 0.3)
    return stage


def _inputs(images: int = 1, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.randn(images, classes, 20, 4, 4), torch.randn(images, 6, 8, 8), torch.randn(images, classes, 6, 8, 8)


def _expected(stage: GuidedUpsampling, x: torch.Tensor, image: torch.Tensor, cost: torch.Tensor) -> torch.Tensor:
    """Every class of every image by itself: [enlarged maps, the image's guidance, the cost volume's]."""
    rows = []
    for maps, of_image, of_cost in zip(x, image, cost, strict=True):
        for one, guidance in zip(maps, of_cost, strict=True):
            y = torch.cat([stage.up(one[None]), of_image[None], guidance[None]], dim=1)
            for convolution, norm in ((stage.conv1, stage.norm1), (stage.conv2, stage.norm2)):
                y = F.group_norm(convolution(y), 2, norm.weight, norm.bias, 1e-5).relu()
            rows.append(y[0])
    return torch.stack(rows).unflatten(0, x.shape[:2])


@torch.no_grad()
@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize("images", [1, 3])
def test_it_equals_concatenating_and_convolving_every_class(folded: bool, at_once: int, images: int) -> None:
    stage, inputs = _stage(), _inputs(images)
    expected = _expected(stage, *inputs)
    before = [tensor.clone() for tensor in inputs]
    if folded:
        stage.fold()
        assert stage.folded is not None
    with patch.object(upsampling, "_CLASSES_AT_ONCE", at_once):
        torch.testing.assert_close(stage(*inputs), expected, atol=1e-5, rtol=1e-5)
    assert all(torch.equal(*pair) for pair in zip(inputs, before, strict=True))


@torch.no_grad()
def test_what_follows_is_applied_to_every_class() -> None:
    stage, head, inputs = _stage(), nn.Conv2d(32, 1, 3, padding=1), _inputs()
    expected = head(stage(*inputs)[0])
    torch.testing.assert_close(stage(*inputs, head)[0], expected, atol=1e-6, rtol=1e-6)


def test_gradients_reach_every_parameter_of_a_folded_stage() -> None:
    stage, inputs = _stage(), _inputs()
    stage.fold()
    stage(*inputs).square().sum().backward()
    assert all(parameter.grad is not None for parameter in stage.parameters())
    folded = stage.conv1.weight.grad.clone()
    stage.zero_grad()
    _expected(stage, *inputs).square().sum().backward()
    torch.testing.assert_close(folded, stage.conv1.weight.grad, atol=2e-3, rtol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("mean", [0.0, 2.0, 10.0])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_group_norm_is_as_exact_as_torchs_own_for_the_usual_layout(mean: float, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    norm = AccurateGroupNorm(2, 32).eval()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = (torch.randn(2, 32, 40, 56) + mean).contiguous(memory_format=layout)
    exact = F.group_norm(x.double(), 2, norm.weight.double(), norm.bias.double(), 1e-5)
    assert float((norm(x) - exact).abs().max()) < 2e-6 * (1 + mean**2)


@torch.no_grad()
def test_group_norm_of_a_constant_is_its_bias() -> None:
    norm = AccurateGroupNorm(1, 16).eval()
    nn.init.normal_(norm.bias)
    found = norm(torch.full((1, 16, 8, 8), 3.7).contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, norm.bias[None, :, None, None].expand(1, -1, 8, 8), atol=1e-3, rtol=0)
