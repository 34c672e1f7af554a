from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ovrisisbench.adapters.clip.positions import resized_positions
from ovrisisbench.adapters.segearth_ov.config import TINY
from tests.adapters.segearth_ov.networks import lively
from tests.adapters.segearth_ov.second_version import Plain, sampled


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 64), (64, 32), (16, 48)])
def test_tokens_are_those_of_the_second_version(height: int, width: int) -> None:
    network = lively()
    windows = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(height))
    ours = network.tokens(windows)
    plain = torch.stack([Plain(network, TINY).tokens(window.double()) for window in windows])
    torch.testing.assert_close(ours.double(), plain, atol=2e-5, rtol=0)


@torch.no_grad()
def test_heads_are_kept_apart_in_the_last_block() -> None:
    config = replace(TINY, clip=replace(TINY.clip, width=128))
    network = lively(config)
    windows = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = Plain(network, config).tokens(windows[0].double())
    assert config.clip.heads == 2
    torch.testing.assert_close(network.tokens(windows)[0].double(), plain, atol=2e-5, rtol=0)


@torch.no_grad()
def test_positions_are_sampled_by_the_factor_and_not_by_the_size() -> None:
    tower = lively().clip
    positions = tower.positions((3, 2))
    cells = tower.positional_embedding[1:].T.reshape(-1, 4, 4).double()
    plain = sampled(cells, 3, 3.1 / 4)
    plain = sampled(plain.transpose(1, 2), 2, 2.1 / 4).transpose(1, 2)
    torch.testing.assert_close(positions[1:].double(), plain.flatten(1).T, atol=1e-6, rtol=0)
    assert torch.equal(positions[0], tower.positional_embedding[0])
    by_size = resized_positions(tower.positional_embedding, (3, 2))
    assert (positions - by_size).abs().max() > 1e-2


def test_positions_stay_as_they_are_for_a_whole_window() -> None:
    tower = lively().clip
    assert tower.positions((4, 4)) is tower.positional_embedding


def test_the_last_block_has_no_mlp() -> None:
    names = {name.split(".")[0] for name, _ in lively().clip.blocks[-1].named_parameters()}
    assert names == {"ln_1", "attn"}
