from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ovrisisbench.adapters.cost_aggregation.guided import GuidedLinear
from ovrisisbench.adapters.cost_aggregation.upsampling import GuidanceBranch, UpsamplingStage


@torch.no_grad()
@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("grid", [1, 2, 5])
def test_two_convolutions_of_a_branch_fold_into_one(stride: int, grid: int) -> None:
    torch.manual_seed(0)
    branch = GuidanceBranch(nn.ConvTranspose2d(12, 10, stride, stride=stride), 6, grid=grid)
    x = torch.randn(2, 12, grid, grid)
    step_by_step = branch(x)
    branch.fold()
    assert branch.folded is not None
    assert step_by_step.shape == (2, 6, stride * grid, stride * grid)
    torch.testing.assert_close(branch(x), step_by_step, atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_branch_with_a_pointwise_adapter_stays_unfolded() -> None:
    branch = GuidanceBranch(nn.Conv2d(12, 10, 1), 6, grid=4)
    branch.fold()
    x = torch.randn(1, 12, 4, 4)
    assert torch.equal(branch(x), F.relu(branch.project(branch.upsample(x))))


@torch.no_grad()
@pytest.mark.parametrize("guidance", [0, 9])
@pytest.mark.parametrize("folded", [False, True])
def test_a_stage_equals_concatenating_and_convolving_every_class(guidance: int, folded: bool) -> None:
    torch.manual_seed(0)
    stage = UpsamplingStage(20, 12, guidance, 32, grid=4).eval()
    x = torch.randn(2, 3, 20, 4, 4)
    maps = torch.randn(2, guidance, 8, 8) if guidance else None
    up = stage.up(x.flatten(0, 1))
    joined = up if maps is None else torch.cat([up, maps.repeat_interleave(3, dim=0)], dim=1)
    expected = F.relu(stage.norm1(stage.conv1(joined)))
    expected = F.relu(stage.norm2(stage.conv2(expected))).unflatten(0, (2, 3))
    if folded:
        stage.fold()
    torch.testing.assert_close(stage(x, maps), expected, atol=5e-6, rtol=0)


@torch.no_grad()
def test_guided_linear_equals_a_linear_layer_on_the_concatenation() -> None:
    layer = GuidedLinear(8, 5, 7)
    x, guidance = torch.randn(2, 3, 4, 8), torch.randn(2, 1, 4, 5)
    joined = torch.cat([x, guidance.expand(2, 3, 4, 5)], dim=-1)
    torch.testing.assert_close(layer(x, guidance), F.linear(joined, layer.weight, layer.bias), atol=1e-6, rtol=0)
